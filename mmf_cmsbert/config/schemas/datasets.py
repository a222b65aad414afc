"""``dataset_config.mosi`` and ``dataset_config.mosei``."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from mmf_cmsbert.config.schemas.names import unknown_key
from mmf_cmsbert.config.schemas.processors import WordPiecesConfig
from mmf_cmsbert.config.schemas.section import Expected, OpenSection, Section
from mmf_cmsbert.config.schemas.targets import Target, Targets, named
from mmf_cmsbert.config.schemas.values import Files, Folder, Modality, Width

_SPLITS = ("train", "val", "test")
_Annotation = Annotated[
    Files, Field(min_length=1), Expected("a file or a list of files, as in [/data/train.pkl]")
]
_Columns = Annotated[
    Width | None,
    Expected("the number of columns of its frames, or null to omit the modality"),
]
Features = Annotated[
    dict[Modality, _Columns], Expected("a section such as {visual: 47, acoustic: 74}")
]
_Segments = Annotated[int, Field(ge=1, le=10**6)]


class Annotations(Section):
    """``annotations``"""

    train: _Annotation = Field(description="Files of the training split.")
    val: _Annotation = Field(description="Files of the validation split.")
    test: _Annotation = Field(description="Files of the test split.")


class WordProcessor(OpenSection):
    """``processors.word_processor``"""

    class Params(WordPiecesConfig, OpenSection):
        """Params of ``word_pieces``; other processors have other params."""

    type: str = Field(
        default="word_pieces",
        description="Registered name of the processor. word_pieces splits words into word pieces, "
        "each with the index of its word.",
    )
    params: Params = Field(default=Params(), description="Arguments of the processor.")


class Processor(OpenSection):
    """Any processor."""

    type: str = Field(description="Registered name of the processor.")
    params: dict[str, Any] = Field(default={}, description="Arguments of the processor.")


class Processors(Section):
    """``processors``"""

    word_processor: WordProcessor = Field(
        default=WordProcessor(), description="The processor of words."
    )
    region_processor: Annotated[
        Processor | None,
        Expected(
            "null or a section such as {type: frames_as_regions, params: {modality: visual, "
            "count: 30}}"
        ),
    ] = Field(
        default=None,
        description="Converts frames to image regions for MMF's models, as in\n"
        "  {type: frames_as_regions, params: {modality: visual, count: 30}}\n"
        "which makes 30 regions for each segment: longer segments are pooled, shorter ones padded "
        "with zeros; see projects/cmsbert/mixing. null: no regions.",
    )


_Column = Annotated[
    Annotated[str, Field(min_length=1)] | None, Expected("the name of a column, or null")
]


class Columns(OpenSection):
    """``columns``; those of modalities and targets have the names in ``features``, ``targets``."""

    id: _Column = Field(
        default=None,
        description="Of ids; rows of a Hugging Face dataset without them are numbered.",
    )
    video: _Column = Field(default=None, description="Of the video that a segment is cut from.")
    text: _Column = Field(default=None, description="Of texts.")
    words: _Column = Field(default=None, description="Of lists of words.")
    label: _Column = Field(default=None, description="Of sentiment.")
    start: _Column = Field(default=None, description="Of starts, in seconds.")
    end: _Column = Field(default=None, description="Of ends, in seconds.")
    visual: _Column = Field(default=None, description="Of visual frames; so for each modality.")
    acoustic: _Column = Field(default=None, description="Of acoustic frames.")


_Part = Annotated[float, Field(gt=0, lt=1), Expected("a share between 0 and 1")]


class SplitRule(Section):
    """``split``"""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        default=1, description="Seed of the assignment."
    )
    val: _Part = Field(default=0.1, description="Share of the validation split.")
    test: _Part = Field(default=0.2, description="Share of the test split.")
    by: Annotated[str, Field(min_length=1)] = Field(
        default="video",
        description="What stays together in one split: video | segment | a column of the data that "
        "is kept as metadata, such as speaker.",
    )

    @model_validator(mode="after")
    def _leaves_training(self) -> "SplitRule":
        if self.val + self.test >= 1:
            raise ValueError(
                f"{{key}}.val is {self.val:g} and {{key}}.test is {self.test:g}; expected less "
                "than 1 together, so that segments are left for training"
            )
        return self


class Synthetic(Section):
    """``synthetic``"""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        default=1, description="Seed of the generated segments."
    )
    train: _Segments = Field(default=480, description="Segments of the training split.")
    val: _Segments = Field(default=120, description="Segments of the validation split.")
    test: _Segments = Field(default=200, description="Segments of the test split.")


def _existing(value: str) -> str:
    path = Path(value).expanduser()
    if not path.exists():
        raise ValueError(
            f"{{key}} is {value!r}, but there is no such file; expected the vocab.txt of a "
            "tokenizer, or null"
        )
    return str(path.absolute())


class SentimentDatasetConfig(Section):
    """A corpus of segments with sentiment."""

    source: Annotated[
        Files | None, Expected("the file or folder of a corpus, a list of them, or null")
    ] = Field(
        default=None,
        description="The corpus: a file or folder, or a list of them, that `cmsbert data inspect` "
        "can read, or hf://OWNER/NAME[@REVISION][:CONFIG] of the Hugging Face hub. The splits are "
        "recognised by the names of files, folders or rows (train; dev, val, valid or validation; "
        "test); segments without a split name belong to test. A relative path refers to the "
        "working folder or, if it does not exist there, to data_dir. null: use "
        "the files under annotations.",
    )
    split: Annotated[
        SplitRule | None, Expected("null or a section such as {seed: 1, val: 0.1, test: 0.2}")
    ] = Field(
        default=None,
        description="For a source that names no splits: a section such as {seed: 1, val: 0.1, "
        "test: 0.2, by: video} assigns each video to a split at random, about these shares; a "
        "video is never in two splits. null: the splits of the data.",
    )
    data_dir: Folder = Field(
        default="${env.data_dir}/datasets",
        description="Folder that the file names below refer to. If the files do not exist, the "
        "corpus is searched for in this folder and in its subfolder with the dataset's name, as "
        "with source.",
    )
    annotations: Annotations = Field(
        default=Annotations(train=["train.pkl"], val=["dev.pkl"], test=["test.pkl"]),
        description="Files or folders of each split, instead of source: a name or a list, read in "
        "this order. A file or folder with all splits can be listed for all three: a MAG or MMSA "
        "pickle, or a folder of .csd files (CMU-MultimodalSDK), of segments with split names, or "
        "of stores.",
    )
    layout: str = Field(
        default="auto",
        description="Layout of the files: misa | mag | mmsa | csd | folder | datasets | store | "
        "conversations | meld | mustard | urfunny | auto (recognised by content), or one "
        "registered by your package (env.user_dir).",
    )
    alignment: Literal["word", "none"] = Field(
        default="word",
        description="Only for csd: word (the frame of a word is the mean of the frames that "
        "overlap its interval) | none (all frames of a segment, each modality at its own rate). "
        "Other layouts are not changed.",
    )
    features: Features = Field(
        default={},
        description="Modality -> columns of a frame, such as {visual: 47, gaze: 12}: any names, as "
        "the columns or folders of the data have them. The data is checked against them, and the "
        "model is built for them. null: the modality is omitted.",
    )
    targets: Targets | None = Field(
        default=None,
        description="What is predicted, by name; the first is the main target, to which label and "
        "the other fields of labels refer. A target is\n"
        "  a number between two limits, `{kind: regression, low: -1, high: 1}`;\n"
        "  one of several classes, `{kind: classes, names: [negative, positive]}`;\n"
        "  or any number of several labels, `{kind: multilabel, names: [happy, sad]}`.\n"
        "Further targets are read from fields or columns of their names, and each gets a head of "
        "its own and a loss. null instead of a section leaves one out. null: sentiment in [-3, 3], "
        "as in {sentiment: {kind: regression, low: -3, high: 3}}.",
    )
    max_frames: Annotated[
        Annotated[int, Field(ge=1, le=10**6)] | None,
        Expected("the largest number of frames, from 1 to 1000000, or null for no limit"),
    ] = Field(
        default=500,
        description="Largest number of frames of a modality in a segment. More frames are averaged "
        "over this many windows; none are cut off. null: no limit. The cost of attention grows "
        "with its square.",
    )
    single_frame: Literal["keep", "every_word"] = Field(
        default="keep",
        description="Treatment of a modality with a single frame per segment (utterance-level "
        "features): keep | every_word (repeat it for each word, as required by "
        "shift.context=word).",
    )
    normalise: Literal["none", "corpus", "segment"] = Field(
        default="none",
        description="Scale columns to zero mean and unit variance: none | corpus (over all frames "
        "of the training split; saved with the model and used in prediction) | segment (over the "
        "frames of each segment).",
    )
    on_invalid: Literal["error", "skip"] = Field(
        default="error",
        description="Treatment of a segment that cannot be used (no words, wrong width, no label "
        "for training): error | skip (omit it, count it in the log, and name it in the store's "
        "manifest.json).",
    )
    non_finite: Literal["error", "zero"] = Field(
        default="error",
        description="Treatment of a value that is not finite (MMSA's acoustic frames contain "
        "-inf): error | zero.",
    )
    vocabulary: Annotated[
        Annotated[str, AfterValidator(_existing)] | None,
        Expected("the vocab.txt of a tokenizer, or null"),
    ] = Field(
        default=None,
        description="The vocab.txt of the tokenizer that produced the ids in text_bert. Required "
        "for MMSA pickles without raw_text. It also aligns pickles with one row per word piece "
        "whose rows are ambiguous.",
    )
    store_dir: Annotated[Folder, Expected("a folder for converted segments")] = Field(
        default="${env.data_dir}/datasets/stores",
        description="Folder of the Arrow stores. Each file is converted to a store once, and again "
        "if it has changed; runs read the store. The folder can be deleted safely.",
    )
    processors: Processors = Field(
        default=Processors(), description="Conversion of segments to tensors."
    )
    columns: Columns = Field(
        default=Columns(),
        description="For lists of segments and Hugging Face datasets: columns with other names "
        "than the usual ones. null: found by name (text, words, label, id, ...); in Hugging Face "
        "datasets frames too (visual, vision, acoustic, audio, ...), and text and label also by "
        "type.",
    )
    label_values: Annotated[
        dict[str, Annotated[float, Field(ge=-3, le=3)]] | None,
        Expected("null or a section such as {negative: -1, positive: 1}"),
    ] = Field(
        default=None,
        description="For Hugging Face datasets with classes as labels: the sentiment of each "
        "class, in a section such as {negative: -1, positive: 1}. null: the names are numbers.",
    )
    context: Annotated[
        Annotated[int, Field(ge=0, le=100)],
        Expected("the number of previous utterances, from 0 to 100"),
    ] = Field(
        default=0,
        description="For layouts of conversations (conversations, meld, mustard, urfunny): how "
        "many previous utterances to put before the words of a segment, each followed by the "
        "tokenizer's separator. Segments longer than max_seq_length lose the oldest words first. "
        "Where a modality has one frame per word, words of the context have theirs, or zeros.",
    )
    fold: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None, Expected("the number of a fold, or null")
    ] = Field(
        default=None,
        description="Only for mustard: a fold of split_indices.p, from 1 to 5, which is tested, "
        "while the next one validates. null: the speaker-independent split, tested on Friends.",
    )
    voice: Annotated[str | None, Expected("null or the name of an extractor")] = Field(
        default=None,
        description="For Hugging Face datasets with a column of sound or clips: the extractor of "
        "acoustic frames, as for cmsbert features --voice: librosa | opensmile | "
        "whisper_states:MODEL. null: sound is not read.",
    )
    face: Annotated[str | None, Expected("null or the name of an extractor")] = Field(
        default=None,
        description="For Hugging Face datasets with a column of clips: the extractor of visual "
        "frames, as for cmsbert features --face: dlib | mediapipe:MODEL. null: pictures are not "
        "read.",
    )
    streaming: bool = Field(
        default=False,
        description="For datasets of the Hugging Face hub: true reads rows from the hub during "
        "conversion instead of downloading the files.",
    )
    synthetic: Annotated[
        Synthetic | None, Expected("null or a section such as {seed: 1, train: 480}")
    ] = Field(
        default=None,
        description="A section such as {seed: 1, train: 480, val: 120, test: 200} writes a "
        "synthetic corpus with these numbers of segments to the files above, for a test without "
        "data. It never overwrites other data.",
    )

    @property
    def widths(self) -> dict[str, int | None]:
        """Modality -> columns, None if the modality is omitted."""
        return {name: value or None for name, value in self.features.items()}

    @property
    def predicted(self) -> dict[str, Target]:
        """The targets, the main one first; name -> target."""
        return named(self.targets)

    @property
    def named_columns(self) -> dict[str, str]:
        """Field -> column, for those that are named."""
        return {name: column for name, column in self.columns if column is not None}

    @property
    def store_folder(self) -> Path:
        """``store_dir``, absolute."""
        return Path(self.store_dir).expanduser().absolute()

    @classmethod
    def shipped_annotations(cls) -> dict[str, list[str]]:
        """Return the default files: split -> files."""
        files: Annotations = cls.model_fields["annotations"].default
        return dict(files)

    def own_annotations(self) -> list[str]:
        """Return the splits whose files are not the defaults."""
        shipped = self.shipped_annotations()
        return [split for split, files in self.annotations if files != shipped[split]]

    @model_validator(mode="after")
    def _known_columns(self) -> "SentimentDatasetConfig":
        for name, column in (self.columns.model_extra or {}).items():
            if name not in self.features and name not in self.predicted:
                known = [*Columns.model_fields, *self.features, *self.predicted]
                raise ValueError(unknown_key("{key}.columns", name, dict.fromkeys(known)))
            if column is not None and not isinstance(column, str):
                raise ValueError(
                    f"{{key}}.columns.{name} is {column!r}; expected the name of a column, or null"
                )
        return self

    @model_validator(mode="after")
    def _one_origin(self) -> "SentimentDatasetConfig":
        own, files = self.own_annotations(), dict(self.annotations)
        if self.split and not self.source:
            raise ValueError(
                "{key}.split divides the data of {key}.source, which is null; type "
                "{key}.source=PATH, or {key}.split=null"
            )
        if self.source and own:
            raise ValueError(
                f"{{key}}.source is {', '.join(self.source)}, and {{key}}.annotations.{own[0]} is "
                f"{files[own[0]]}: both name the data. Set one of them; {{key}}.source=null unsets "
                "the first"
            )
        if self.synthetic and self.source:
            raise ValueError(
                "{key}.synthetic generates a corpus, and {key}.source names another; set one of "
                "them"
            )
        names = [name for each in files.values() for name in each]
        single = len(names) == len(set(names)) == len(_SPLITS)
        if self.synthetic and not (single and self.layout in ("auto", "misa")):
            raise ValueError(
                "{key}.synthetic writes one file per split in the MISA layout; expected one name "
                "in each of {key}.annotations.train, val and test, and layout auto or misa"
            )
        return self


def _features(visual: int, of: str) -> Any:
    return Field(
        {"visual": visual, "acoustic": 74},
        description=f"{SentimentDatasetConfig.model_fields['features'].description}"
        f" Defaults: {of} and COVAREP.",
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
