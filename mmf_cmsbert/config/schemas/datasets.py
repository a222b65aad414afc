"""``dataset_config.mosi`` and ``dataset_config.mosei``."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from mmf_cmsbert.config.schemas.processors import WordPiecesConfig
from mmf_cmsbert.config.schemas.section import Expected, OpenSection, Section
from mmf_cmsbert.config.schemas.values import Files, Folder, Width

_SPLITS = ("train", "val", "test")
_Annotation = Annotated[
    Files, Field(min_length=1), Expected("a file or a list of files, as in [/data/train.pkl]")
]
_Columns = Annotated[
    Width | None,
    Expected("how many columns its frames have, or null to use the corpus without it"),
]
_Segments = Annotated[int, Field(ge=1, le=10**6)]


class Annotations(Section):
    """``annotations``"""

    train: _Annotation = Field(description="Of the training split.")
    val: _Annotation = Field(description="Of the validation split.")
    test: _Annotation = Field(description="Of the test split.")


class Features(Section):
    """``features``"""

    visual: _Columns = Field(description="Of the face.")
    acoustic: _Columns = Field(description="Of the voice.")


class WordProcessor(OpenSection):
    """``processors.word_processor``"""

    class Params(WordPiecesConfig, OpenSection):
        """Those of ``word_pieces``; another processor has others."""

    type: str = Field(
        default="word_pieces", description="Words to word pieces, each with the index of its word."
    )
    params: Params = Field(default=Params(), description="Arguments of the processor.")


class Processor(OpenSection):
    """Any processor."""

    type: str = Field(description="The registered name.")
    params: dict[str, Any] = Field(default={}, description="Its params.")


class Processors(Section):
    """``processors``"""

    word_processor: WordProcessor = Field(
        default=WordProcessor(), description="What makes word pieces."
    )
    region_processor: Annotated[
        Processor | None,
        Expected(
            "null or a section such as {type: frames_as_regions, params: {modality: visual, "
            "count: 30}}"
        ),
    ] = Field(
        default=None,
        description="Frames as image regions, for MMF's models, in a section such as\n"
        "  {type: frames_as_regions, params: {modality: visual, count: 30}}\n"
        "which gives each segment so many regions, long ones pooled, short ones padded with zeros; "
        "see projects/cmsbert/mixing. null: none.",
    )


class Synthetic(Section):
    """``synthetic``"""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        default=1, description="Another one, other segments."
    )
    train: _Segments = Field(default=480, description="Segments of the training split.")
    val: _Segments = Field(default=120, description="Segments of the validation split.")
    test: _Segments = Field(default=200, description="Segments of the test split.")


def _existing(value: str) -> str:
    path = Path(value).expanduser()
    if not path.exists():
        raise ValueError(
            f"{{key}} is {value!r}, which is no file; expected the vocab.txt of a tokenizer, or "
            f"null"
        )
    return str(path.absolute())


class SentimentDatasetConfig(Section):
    """A corpus of segments with sentiment."""

    source: Annotated[
        Files | None, Expected("the file or folder of a corpus, a list of them, or null")
    ] = Field(
        default=None,
        description="The corpus: any file or folder (or a list of them) that `cmsbert data "
        "inspect` reads. Its splits are found by the names of its files, folders or rows (train; "
        "dev, val, valid or validation; test); segments that name no split count as test. A "
        "relative path is one of the working folder or, if there is none, of data_dir. null: the "
        "files under annotations.",
    )
    data_dir: Folder = Field(
        default="${env.data_dir}/datasets",
        description="Folder that the file names below are relative to. Where they are not there, "
        "the corpus is looked for in this folder and in its subfolder of the dataset's name, as "
        "with source.",
    )
    annotations: Annotations = Field(
        description="Files or folders of each split, instead of source: a name or a list; several "
        "are read one after the other. What holds all splits can be listed for all three: a MAG or "
        "MMSA pickle, a folder of CMU-MultimodalSDK's .csd files, of segments that name their "
        "split, or of stores.",
    )
    layout: str = Field(
        default="auto",
        description="Layout of the files: misa | mag | mmsa | csd | folder | store | auto "
        "(recognised by content), or one that a package of your own registers (env.user_dir).",
    )
    alignment: Literal["word", "none"] = Field(
        default="word",
        description="csd alone: word (a word's frame is the mean of the frames that its interval "
        "meets) | none (all frames of a segment, each modality at its own rate). Other layouts "
        "come as they are.",
    )
    features: Features = Field(
        description="Columns of a frame. The data is checked against them and the model is built "
        "with them. null: the corpus is used without that modality.",
    )
    max_frames: Annotated[
        Annotated[int, Field(ge=1, le=10**6)] | None,
        Expected(
            "how many frames of a modality a segment may have, from 1 to 1000000, or null for any "
            "number"
        ),
    ] = Field(
        default=500,
        description="A segment with more frames of a modality has them pooled into this many "
        "windows, the mean of each; nothing is cut off. null: never. Attention costs grow with its "
        "square.",
    )
    single_frame: Literal["keep", "every_word"] = Field(
        default="keep",
        description="A modality that has one frame for a whole segment, as utterance-level "
        "features have: keep | every_word (each word gets it, which is what shift.context=word "
        "needs).",
    )
    normalise: Literal["none", "corpus", "segment"] = Field(
        default="none",
        description="Columns to zero mean and unit variance: none | corpus (over all frames of the "
        "training split; saved with the model, which predicts with the same) | segment (over a "
        "segment's own frames).",
    )
    on_invalid: Literal["error", "skip"] = Field(
        default="error",
        description="A segment that cannot be used (no words, another width, no label to train "
        "on): error | skip (it is left out, counted in the log, and named in the store's "
        "manifest.json).",
    )
    non_finite: Literal["error", "zero"] = Field(
        default="error",
        description="A value that is not finite (MMSA's acoustic frames hold some -inf): error | "
        "zero.",
    )
    vocabulary: Annotated[
        Annotated[str, AfterValidator(_existing)] | None,
        Expected("the vocab.txt of a tokenizer, or null"),
    ] = Field(
        default=None,
        description="The vocab.txt of the tokenizer whose ids are in text_bert. Needed for MMSA "
        "pickles without raw_text; aligns those with one row a word piece where the rows alone do "
        "not tell.",
    )
    store_dir: Annotated[Folder, Expected("a folder to keep converted segments in")] = Field(
        default="${env.data_dir}/datasets/stores",
        description="Every file is converted once into an Arrow store in this folder, from which "
        "later runs read, and again when it has changed. Safe to delete.",
    )
    processors: Processors = Field(default=Processors(), description="From segments to tensors.")
    synthetic: Annotated[
        Synthetic | None, Expected("null or a section such as {seed: 1, train: 480}")
    ] = Field(
        default=None,
        description="A section such as {seed: 1, train: 480, val: 120, test: 200} writes a "
        "synthetic corpus of so many segments to the files above, for a try without data. It never "
        "overwrites other data.",
    )

    @property
    def widths(self) -> dict[str, int | None]:
        """Modality -> columns, None where the corpus is used without the modality."""
        return {name: value or None for name, value in self.features}

    @property
    def store_folder(self) -> Path:
        """``store_dir``, absolute."""
        return Path(self.store_dir).expanduser().absolute()

    @classmethod
    def shipped_annotations(cls) -> dict[str, list[str]]:
        """Split -> the files that are looked for unless others are named."""
        files: Annotations = cls.model_fields["annotations"].default
        return dict(files)

    def own_annotations(self) -> list[str]:
        """The splits whose files are not those that are shipped."""
        shipped = self.shipped_annotations()
        return [split for split, files in self.annotations if files != shipped[split]]

    @model_validator(mode="after")
    def _one_origin(self) -> "SentimentDatasetConfig":
        own, files = self.own_annotations(), dict(self.annotations)
        if self.source and own:
            raise ValueError(
                f"{{key}}.source is {', '.join(self.source)}, and {{key}}.annotations.{own[0]} is "
                f"{files[own[0]]}: both name the data. Set one of them; "
                "{key}.source=null takes the first one back"
            )
        if self.synthetic and self.source:
            raise ValueError(
                "{key}.synthetic makes a corpus, and {key}.source names one; give one of them"
            )
        names = [name for each in files.values() for name in each]
        single = len(names) == len(set(names)) == len(_SPLITS)
        if self.synthetic and not (single and self.layout in ("auto", "misa")):
            raise ValueError(
                "{key}.synthetic writes one file a split in the MISA layout; expected one name "
                "under each of {key}.annotations.train, val and test, and layout auto or misa"
            )
        return self


def _features(visual: int, of: str) -> Any:
    return Field(
        Features(visual=visual, acoustic=74),
        description=f"{SentimentDatasetConfig.model_fields['features'].description}"
        f" By default {of} and COVAREP.",
    )


def _files(name: str) -> Any:
    return Field(
        Annotations(
            train=[f"{name}/train.pkl"], val=[f"{name}/dev.pkl"], test=[f"{name}/test.pkl"]
        ),
        description=SentimentDatasetConfig.model_fields["annotations"].description,
    )


class MOSIConfig(SentimentDatasetConfig):
    """CMU-MOSI: sentiment of opinion segments in words, face and voice."""

    annotations: Annotations = _files("mosi")
    features: Features = _features(47, "FACET 4.1")


class MOSEIConfig(SentimentDatasetConfig):
    """CMU-MOSEI: sentiment of opinion segments in words, face and voice."""

    annotations: Annotations = _files("mosei")
    features: Features = _features(35, "FACET 4.2")


DATASETS: dict[str, type[MOSIConfig] | type[MOSEIConfig]] = {
    "mosi": MOSIConfig,
    "mosei": MOSEIConfig,
}
