"""Files that mean harm: each is refused with a reason, at a cost that its size explains."""

import io
import sys
import tracemalloc
import zipfile
from itertools import pairwise

import pytest

from pipeline.importing import archive as archives
from pipeline.importing.item import Left, Unreadable
from pipeline.importing.reading import read_questions
from pipeline.importing.xml_tree import MAX_DEPTH, read_xml
from tests.unit.importing.reads import archive, read

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
HOSTILE = {
    "billion laughs": f'<!DOCTYPE quiz [<!ENTITY l0 "ha">{LAUGHS}]><quiz>&l29;</quiz>',
    "quadratic blow-up": f'<!DOCTYPE quiz [<!ENTITY a "{"a" * 50_000}">]><quiz>{"&a;" * 50_000}</quiz>',
    "external entity": '<!DOCTYPE quiz [<!ENTITY x SYSTEM "file:///etc/passwd">]><quiz>&x;</quiz>',
    "parameter entity": '<!DOCTYPE quiz [<!ENTITY % x SYSTEM "http://example.org/x">%x;]><quiz/>',
    "external type": '<!DOCTYPE quiz SYSTEM "http://example.org/quiz.dtd"><quiz/>',
    "entity in an attribute": '<!DOCTYPE quiz [<!ENTITY x "y">]><quiz a="&x;"/>',
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("declared", ["", '<?xml version="1.0"?>'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_and_their_entities_are_refused(kind: str, declared: str, encoding: str) -> None:
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read(f"{declared}{HOSTILE[kind]}".encode(encoding))


@pytest.mark.parametrize("kind", HOSTILE)
def test_items_of_a_package_are_read_as_carefully(kind: str) -> None:
    manifest = '<manifest><resources><resource type="imsqti_item_xmlv3p0" href="a.xml"/></resources></manifest>'
    [item] = read(archive({"imsmanifest.xml": manifest, "a.xml": HOSTILE[kind]}))
    assert isinstance(item, Left)
    assert "DOCTYPE" in item.reason


def test_an_entity_that_nobody_declared_is_broken_xml() -> None:
    with pytest.raises(Unreadable, match="undefined entity"):
        read("<quiz>&x;</quiz>")


@pytest.mark.parametrize("depth", [MAX_DEPTH, 100_000])
def test_deep_xml_is_refused(depth: int) -> None:
    with pytest.raises(Unreadable, match="nested more than"):
        read("<quiz>" + "<a>" * depth + "</a>" * depth + "</quiz>")


def test_the_deepest_xml_that_is_read_can_be_read_as_text() -> None:
    depth = MAX_DEPTH - 3
    body = f"{'<div>' * depth}Why?{'</div>' * depth}"
    source = f'<assessmentItem identifier="x"><itemBody>{body}</itemBody></assessmentItem>'
    assert [item.where for item in read(source)] == ["item x (line 1)"]


def test_deep_html_is_flattened() -> None:
    html = "<div>" * 20_000 + "Why?"
    [item] = read(
        f"<quiz><question type='essay'><questiontext><text><![CDATA[{html}]]></text></questiontext></question></quiz>"
    )
    assert not isinstance(item, Left)
    assert item.question["prompt"] == "Why?"


def zeros(size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package, package.open("imsmanifest.xml", "w") as file:
        for _ in range(size // 1_000_000):
            file.write(b" " * 1_000_000)
    return packed.getvalue()


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zeros(200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="unpacks to more than"):
            read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * archives.MAX_ENTRY_BYTES
    finally:
        tracemalloc.stop()


def test_all_entries_together_are_bounded() -> None:
    package = archives.Archive(archive({str(n): b" " * archives.MAX_ENTRY_BYTES for n in range(9)}))
    for n in range(8):
        package.read(str(n))
    with pytest.raises(Unreadable, match="unpacks to more than"):
        package.read("8")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../b", "..\\evil", "C:/evil", "a//b", "line\nbreak", ".."]
)
def test_paths_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(Unreadable, match="leads out of it"):
        read(archive({"imsmanifest.xml": "<manifest/>", name: "x"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("imsmanifest.xml", "<manifest/>")
        package.writestr("imsmanifest.xml", "<quiz/>")
    with pytest.raises(Unreadable, match="two entries"):
        read(packed.getvalue())


@pytest.mark.parametrize("cut", [5, 40, 100, -1, -10])
def test_a_broken_archive_is_refused(cut: int) -> None:
    with pytest.raises(Unreadable):
        read(archive({"imsmanifest.xml": "<manifest/>" * 50})[:cut])


@pytest.mark.parametrize(
    "shape",
    ["<", "<!--", "<!", "<?", "</", "<a ", "<a b='", "&", "&#", "<![CDATA[", "<p>", "{", "=", "~", "%50%", "\\", "->"],
)
@pytest.mark.parametrize("form", ["gift", "quiz", "cloze"])
def test_reading_costs_in_proportion_to_size(shape: str, form: str) -> None:
    """Steps are counted by the interpreter's own calls and lines, so no clock takes part."""
    moodle = "<quiz><question type='{}'><questiontext format='html'><text>@</text></questiontext></question></quiz>"
    frames = {"gift": "a {=b#@}", "quiz": moodle.format("essay"), "cloze": moodle.format("cloze")}
    escaped = shape.replace("&", "&amp;").replace("<", "&lt;") if form != "gift" else shape
    costs = [steps(frames[form].replace("@", escaped * count)) for count in (500, 1_000, 2_000)]
    assert all(larger <= 3 * smaller + 2_000 for smaller, larger in pairwise(costs)), costs


def steps(source: str) -> int:
    """How many lines of Python run while a file is read."""
    count = 0

    def trace(_frame: object, event: str, _argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        list(read_questions(source.encode(), "bank.gift"))
    finally:
        sys.settrace(before)
    return count


def test_an_encoding_nobody_knows_is_refused() -> None:
    with pytest.raises(Unreadable, match="encoding"):
        read_xml(b'<?xml version="1.0" encoding="x-secret"?><quiz/>')
