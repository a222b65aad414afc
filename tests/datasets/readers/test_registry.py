"""A registered layout is used by all functions that read a corpus."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import written_layouts

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert, store_name
from mmf_cmsbert.datasets.readers import Layout, PickledLayout, register_layout, registry
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.readers.source_files import files_of
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.user_package import import_package

OWN = [
    "auto",
    "misa",
    "mag",
    "conversations",
    "mmsa",
    "csd",
    "folder",
    "store",
    "datasets",
    "meld",
    "mustard",
    "urfunny",
]


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Unregister layouts after each test."""
    registry.choices()
    monkeypatch.setattr(registry, "_layouts", dict(registry._layouts))


class Lines(Layout):
    """A text file with a segment per line: id and words."""

    examples = ("train.lines, dev.lines and test.lines",)
    suffixes = (".lines",)

    def recognise(self, path):
        return path.suffix == ".lines"

    def segments(self, files, request):
        for file in files:
            for line in file.read_text().splitlines():
                name, *words = line.split()
                yield Segment(name, name, tuple(words), {}, 0.5)


class Dictionaries(PickledLayout):
    """A pickle of a list of dicts, unlike the layouts of this package."""

    examples = ("train.pkl, dev.pkl and test.pkl",)
    content = "a list of dicts"

    def recognise_content(self, content):
        return isinstance(content, list) and bool(content) and isinstance(content[0], dict)

    def content_segments(self, content, request, where):
        for each in content:
            yield Segment(each["name"], each["name"], tuple(each["said"]), {}, 0.5)


def save(path, content):
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.fixture
def corpus(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.lines").write_text(f"{name}_1 so good\n{name}_2 not so good\n")
    return tmp_path


def test_our_own_layouts_are_registered_in_a_fixed_order():
    assert registry.choices() == OWN


def test_a_registered_layout_is_accepted_by_name_and_recognised(corpus):
    register_layout("lines")(Lines)
    assert registry.choices() == [*OWN, "lines"]
    registry.check_layout("lines", "dataset_config.mosi.layout")
    for layout in ("auto", "lines"):
        source = find_source([corpus], layout=layout)
        assert source.layouts == ("lines",)
        assert source.files["val"] == [corpus / "dev.lines"]
        read = list(read_files(source.files["val"], "val", layout))
        assert [(s.id, s.words) for s in read] == [
            ("dev_1", ("so", "good")),
            ("dev_2", ("not", "so", "good")),
        ]
    settings = ConversionSettings("mosi", layout="lines", labelled=True)
    store = convert([corpus / "dev.lines"], "val", settings, corpus / "store")
    assert [segment.id for segment in store] == ["dev_1", "dev_2"]


def test_a_layout_that_nobody_registered_is_unknown(corpus):
    with pytest.raises(DataError, match="no corpus in this folder"):
        find_source([corpus])
    with pytest.raises(ConfigError, match="'lines'; expected one of auto, misa, .* env.user_dir"):
        registry.check_layout("lines", "dataset_config.mosi.layout")


def test_messages_name_what_is_registered(tmp_path):
    register_layout("lines")(Lines)
    with pytest.raises(DataError, match="or train.lines, dev.lines and test.lines; found nothing"):
        find_source([tmp_path])
    register_layout("dictionaries")(Dictionaries)
    path = save(tmp_path / "a.pkl", {"a": 1})
    with pytest.raises(DataError, match=r"\(MMSA\), or a list of dicts \(DICTIONARIES\), found"):
        list(read_files([path], "train"))


def test_a_registered_layout_of_pickles_is_chosen_by_content(tmp_path):
    register_layout("dictionaries")(Dictionaries)
    path = save(tmp_path / "train.pkl", [{"name": "a", "said": ["so"]}])
    (segment,) = read_files([path], "train")
    assert (segment.id, segment.words) == ("a", ("so",))
    corpus = {
        split: written_layouts.make_segments(np.random.default_rng(0), split) for split in SPLITS
    }
    files = written_layouts.write_misa(tmp_path / "misa", corpus)
    assert [s.id for s in read_files([files["val"]], "val")] == [s.id for s in corpus["val"]]


def test_a_registered_layout_comes_before_ours(tmp_path):
    class Spoken(Lines):
        def recognise(self, path):
            return path.name.endswith(".spoken.csv")

    register_layout("spoken")(Spoken)
    (tmp_path / "train.spoken.csv").write_text("train_1 so good\n")
    (tmp_path / "train.csv").write_text("id,text,label\na,so good,1\n")
    assert registry.recognise(tmp_path / "train.spoken.csv").name == "spoken"
    assert registry.recognise(tmp_path / "train.csv").name == "folder"


@pytest.mark.parametrize("name", ["auto", "csd", "lines"])
def test_a_name_is_taken_once(name):
    register_layout("lines")(Lines)
    with pytest.raises(ConfigError, match=f"the name '{name}' is taken by"):
        register_layout(name)(Dictionaries)
    register_layout("lines")(Lines)  # the module is imported again
    assert registry.choices() == [*OWN, "lines"]


def test_every_file_below_a_folder_is_a_source_unless_the_layout_says_otherwise(tmp_path):
    register_layout("lines")(Lines)
    (tmp_path / "corpus" / "below").mkdir(parents=True)
    files = [tmp_path / "corpus" / name for name in ("a.lines", "below/b.txt")]
    for file in files:
        file.touch()
    assert files_of([tmp_path / "corpus"], "train", "lines") == files
    assert files_of([files[0]], "train") == files[:1]


PACKAGE = """
from mmf_cmsbert.datasets.readers import Layout, register_layout
from mmf_cmsbert.datasets.segment import Segment

@register_layout("words")
class Words(Layout):
    examples = ("train.words",)
    def recognise(self, path):
        return path.suffix == ".words"
    def segments(self, files, request):
        for i, file in enumerate(files):
            yield Segment(f"a[{i}]", "a", tuple(file.read_text().split()), {}, 0.5)
"""


def test_files_are_converted_again_when_the_code_of_their_layout_changes(tmp_path, corpus):
    package = tmp_path / "layouts_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text(PACKAGE)
    assert import_package(package, "--user-dir") == package
    file = tmp_path / "train.words"
    file.write_text("so good")
    for layout in ("auto", "words"):
        settings = ConversionSettings("mosi", layout=layout, labelled=True)
        name = store_name([file], "train", settings, ())
        first = convert([file], "train", settings, tmp_path / layout).manifest
        written = (tmp_path / layout / "segments.arrow").stat().st_ino
        convert([file], "train", settings, tmp_path / layout)
        assert (tmp_path / layout / "segments.arrow").stat().st_ino == written
        (package / "__init__.py").write_text(PACKAGE + f"# changed after {layout}\n")
        second = convert([file], "train", settings, tmp_path / layout).manifest
        assert (tmp_path / layout / "segments.arrow").stat().st_ino != written
        assert first.settings["code"] != second.settings["code"]
        assert replace(first, settings={}) == replace(second, settings={})
        assert store_name([file], "train", settings, ()) == name


def test_stores_of_our_own_layouts_do_not_depend_on_registered_ones(tmp_path, corpus):
    register_layout("lines")(Lines)
    segments = written_layouts.make_segments(np.random.default_rng(0), "train")
    file = written_layouts.write_misa(tmp_path / "misa", dict.fromkeys(SPLITS, segments))["train"]
    settings = ConversionSettings("mosi", layout="misa")
    assert "code" not in convert([file], "train", settings, tmp_path / "store").manifest.settings


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "expected a folder with an __init__.py"), ("import nowhere_at_all", "No module named")],
)
def test_a_package_that_cannot_be_imported(tmp_path, content, message):
    package = tmp_path / "layouts_that_fail"
    package.mkdir()
    if content is not None:
        (package / "__init__.py").write_text(content)
    with pytest.raises(ConfigError, match=message):
        import_package(package, "--user-dir")


def test_two_packages_of_one_name(tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder / "layouts_twice").mkdir(parents=True)
        (tmp_path / folder / "layouts_twice" / "__init__.py").touch()
    import_package(tmp_path / "one" / "layouts_twice", "--user-dir")
    with pytest.raises(ConfigError, match="another package layouts_twice is imported, from"):
        import_package(tmp_path / "other" / "layouts_twice", "--user-dir")
