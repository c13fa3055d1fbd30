import json

import pytest

from pipeline.importing.item import Left, Taken, Unreadable
from pipeline.importing.reading import detect
from tests.unit.importing.reads import archive, read, reason
from tests.unit.scoring.samples import ANSWERS, document

GIFT = "What? {=a}"
QUIZ = '<?xml version="1.0"?><quiz/>'
QTI = '<qti-assessment-item xmlns="x"/>'
TABLE = "type,prompt,answer\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (GIFT, "gift"),
        ("[html]<p>a</p> {T}", "gift"),
        ("<p>What?</p> {T}", "gift"),
        ("// a comment\n::a::b{}", "gift"),
        (QUIZ, "moodle"),
        ("<quiz><question/></quiz>", "moodle"),
        ("<!-- exported -->\n<quiz/>", "moodle"),
        (QTI, "qti"),
        ('<q:assessmentItem xmlns:q="x"/>', "qti"),
        (TABLE, "csv"),
        ('"Prompt";"Type";"Answer"\n', "csv"),
        (json.dumps(document("essay")), "ndjson"),
    ],
)
@pytest.mark.parametrize("name", ["", "-", "bank.txt", "bank.xml"])
def test_the_content_tells_the_format_whatever_the_name(content: str, expected: str, name: str) -> None:
    assert detect(content.encode(), name) == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("content", "expected"), [(GIFT, "gift"), (TABLE, "csv"), (QUIZ, "moodle")])
def test_encodings_are_told_by_marks_and_zero_bytes(content: str, expected: str, encoding: str) -> None:
    assert detect(content.encode(encoding)) == expected


def test_an_archive_is_told_by_its_first_bytes() -> None:
    assert detect(archive({"a": "b"}), "bank.gift") == "qti_package"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"[1]", "JSON array"),
        (b"plain words", "no format that is known"),
        (b"<?xml version='1.0'?><html/>", "'html' is not read"),
        (b"<?xml version='1.0'?><manifest/>", "manifest alone"),
        (b"\x89PNG\r\n\x1a\n\x00", "no format that is known"),
    ],
)
def test_other_files_are_refused_in_one_sentence(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        detect(content)


def test_bytes_that_are_no_text_are_refused_by_their_place() -> None:
    with pytest.raises(Unreadable, match="wrong at byte 10"):
        read(b"What? {=a \xff}")


def test_our_own_lines_are_taken_as_they_are() -> None:
    documents = [document(kind, id=kind) for kind in ANSWERS]
    lines = [json.dumps(one) for one in documents]
    items = read("\n\n".join(lines))
    assert [item.question for item in items if isinstance(item, Taken)] == documents
    assert [item.where for item in items[:2]] == ["line 1", "line 3"]


def test_our_own_lines_with_problems_are_left() -> None:
    good = json.dumps(document("essay"))
    items = read("\n".join([good, "{", good, '{"id": "x"}', "[" * 100_000, '"\\ud800"']))
    reasons = [item.reason for item in items if isinstance(item, Left)]
    assert len(reasons) == 5
    assert reasons[1] == "its id q is that of line 1 too"


def test_a_question_with_a_field_given_twice_is_left() -> None:
    line = json.dumps(document("essay"))
    twice = f'{line[:-1]}, "points": 1, "points": 2}}'
    assert reason(twice) == "/points The field is given more than once."
