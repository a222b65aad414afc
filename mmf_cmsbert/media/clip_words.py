"""The words of a clip: recognised, or of a given transcript."""

import numpy as np

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media.alignment import align, spread_over_sound
from mmf_cmsbert.media.extractor import Recogniser
from mmf_cmsbert.media.loudness import without_silence
from mmf_cmsbert.media.signals import Sound, Word
from mmf_cmsbert.media.transcript import Transcript


class ClipWords:
    """The words of a clip, recognised once, and only if they are needed.

    Args:
        name: the clip, for messages.
        sound: its sound, or None.
        recogniser: or None.
        loud: bool ``(hundredths,)``, which parts of the sound are not silent.
        seconds: length of the clip.
    """

    def __init__(
        self,
        name: str,
        sound: Sound | None,
        recogniser: Recogniser | None,
        loud: np.ndarray,
        seconds: float,
    ):
        self.name, self._sound, self._recogniser = name, sound, recogniser
        self.loud, self.seconds = loud, seconds
        self._heard: list[Word] | None = None

    def heard(self) -> list[Word]:
        """The recognised words."""
        if self._heard is None:
            if self._recogniser is None or self._sound is None:
                missing = "it has no sound" if self._sound is None else "--recogniser is none"
                raise DataError(
                    f"{self.name}: has no words: {missing}, and no transcript is given. Name one "
                    "with --transcript, or in the column text of the table"
                )
            self._heard = without_silence(self._recogniser.words(self._sound), self.loud)
            if not self._heard:
                raise DataError(f"{self.name}: no speech was recognised in it")
        return self._heard

    def of(self, transcript: Transcript | None) -> list[Word]:
        """The words of a transcript with times, or the recognised ones."""
        if transcript is None:
            return self.heard()
        if (timed := transcript.timed()) is not None:
            if timed[0].start >= self.seconds:
                raise DataError(
                    f"{self.name}: the transcript begins at {timed[0].start:.1f} s, after the end "
                    f"of the clip ({self.seconds:.1f} s)"
                )
            return timed
        if self._recogniser is not None and self._sound is not None:
            return align(transcript.words, self.heard(), self.seconds, self.name)
        return spread_over_sound(transcript.words, self.loud, self.seconds)

    def within(self, transcript: Transcript, start: float, end: float) -> list[Word]:
        """The words of a part's own transcript, spread over its sound."""
        part = self.loud[round(start * 100) : round(end * 100)]
        found = transcript.timed() or spread_over_sound(transcript.words, part, end - start)
        return [Word(w.text, start + w.start, start + w.end) for w in found]
