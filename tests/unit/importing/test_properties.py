"""Whatever comes in: a refusal in words, or questions that pass the bank's checks under harmless ids."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.importing.item import Item, Left, Taken, Unreadable
from pipeline.importing.naming import slug
from pipeline.importing.reading import read_questions
from pipeline.scoring.bank import parse_question
from tests.unit.importing.reads import archive

PIECES = (
    *"=~#{}%:$/\\<>&;|,\n\"'",
    *("->", "::", "####", "%50%", "%-100%", "..", "T", "42", "é", "질문", "\u202e", "\x00", "import"),
    *("$CATEGORY: a/b\n", "// [id:x]\n", "<p>", "</p>", "<img src=x>", "{1:SHORTANSWER:=", "{2:MC:", "[[1]]"),
)
WORDS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)
NUMBERS = st.sampled_from(["100", "50", "-50", "0", "33.33333", "nan", "1e400", "x", ""])
KINDS = st.sampled_from(
    ["multichoice", "truefalse", "shortanswer", "numerical", "matching", "ordering", "essay", "cloze", "gapselect", "x"]
)
INTERACTIONS = st.sampled_from(["choice", "text-entry", "extended-text", "inline-choice", "match", "order", "slider"])
TYPES = st.sampled_from(["single_choice", "multiple_choice", "numeric", "cloze", "ordering", "matching", "essay", "x"])


def escaped(text: str) -> str:
    kept = "".join(character for character in text if character in "\n\t" or character.isprintable())
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def holds(data: bytes, name: str = "") -> None:
    seen: list[Item] = []
    try:
        seen.extend(read_questions(data, name))
    except Unreadable as refusal:
        assert str(refusal).endswith(".")  # noqa: PT017 - both ways are right, and each is looked at
    ids = [item.question["id"] for item in seen if isinstance(item, Taken)]
    assert len(set(ids)) == len(ids)
    for item in seen:
        if isinstance(item, Left):
            assert item.reason
        else:
            assert parse_question(dict(item.question)).id == item.question["id"]


def is_harmless(question_id: str) -> bool:
    allowed = set(string.punctuation + string.whitespace) - set("-_.")
    return not allowed & set(question_id) and question_id.isprintable() and question_id not in ("", "import")


@settings(deadline=None)
@given(WORDS, WORDS, WORDS)
def test_any_gift_is_read(name: str, prompt: str, answer: str) -> None:
    holds(f"::{name}:: {prompt} {{{answer}}}\n\n{prompt}".encode("utf-8", "replace"), "bank.gift")


@given(st.binary(max_size=300), st.sampled_from(["", ".gift", ".csv", ".xml", ".zip", ".ndjson"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read(data: bytes, end: str) -> None:
    for start in (b"", b"PK\x03\x04", b"<quiz>", b"\xff\xfe", b"type,prompt,answer\n"):
        holds(start + data, f"bank{end}")


@settings(deadline=None)
@given(
    KINDS, WORDS, st.lists(st.tuples(WORDS, NUMBERS, NUMBERS), max_size=5), NUMBERS, st.sampled_from(["true", "false"])
)
def test_any_moodle_question_is_read(
    kind: str, text: str, answers: list[tuple[str, str, str]], grade: str, single: str
) -> None:
    inside = "".join(
        f'<answer fraction="{share}"><text>{escaped(words)}</text><tolerance>{off}</tolerance></answer>'
        f"<subquestion><text>{escaped(words)}</text><answer><text>{escaped(words)[::-1]}</text></answer></subquestion>"
        f"<selectoption><text>{escaped(words)}</text></selectoption>"
        for words, share, off in answers
    )
    one = (
        f'<question type="{kind}"><name><text>{escaped(text)}</text></name><questiontext format="html"><text>'
        f"{escaped(text)}</text></questiontext><single>{single}</single><defaultgrade>{grade}</defaultgrade>{inside}</question>"
    )
    holds(f"<quiz>{one}{one}</quiz>".encode("utf-8", "replace"))


@settings(deadline=None)
@given(
    INTERACTIONS, INTERACTIONS, st.lists(WORDS, max_size=4), NUMBERS, st.sampled_from(["single", "multiple", "ordered"])
)
def test_any_item_is_read(kind: str, second: str, values: list[str], number: str, cardinality: str) -> None:
    right = "".join(f"<qti-value>{escaped(value)}</qti-value>" for value in values)
    entries = "".join(f'<qti-map-entry map-key="{escaped(value)}" mapped-value="{number}"/>' for value in values)
    choices = "".join(
        f'<qti-{tag} identifier="{escaped(value)}">{escaped(value)}</qti-{tag}>'
        for value in values
        for tag in ("simple-choice", "inline-choice")
    )
    inside = "".join(
        f'<qti-{each}-interaction response-identifier="R">{choices}</qti-{each}-interaction>' for each in {kind, second}
    )
    item = (
        f'<qti-assessment-item identifier="{escaped("".join(values))}"><qti-response-declaration identifier="R" '
        f'cardinality="{cardinality}" base-type="float"><qti-correct-response>{right}</qti-correct-response>'
        f"<qti-mapping>{entries}</qti-mapping></qti-response-declaration><qti-item-body>{inside}</qti-item-body>"
        "</qti-assessment-item>"
    ).encode("utf-8", "replace")
    holds(item)
    manifest = '<manifest><resource type="imsqti_item_xmlv3p0" href="a.xml"/></manifest>'
    holds(archive({"imsmanifest.xml": manifest, "a.xml": item}))


@settings(deadline=None)
@given(TYPES, WORDS, WORDS, WORDS)
def test_any_table_is_read(kind: str, prompt: str, options: str, answer: str) -> None:
    holds(f"type,prompt,options,answer\n{kind},{prompt},{options},{answer}\n".encode("utf-8", "replace"))


@settings(deadline=None)
@given(st.text(max_size=300) | WORDS)
def test_ids_are_harmless_and_stable(text: str) -> None:
    stem = slug(text)
    assert slug(stem) == stem
    assert not stem or is_harmless(f"x{stem}")
    assert len(stem) <= 80
