from typing import Any

import pytest

from pipeline.importing.item import Left, Taken
from tests.unit.importing.reads import archive, options, question, read, reason, taken

SPACE = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"


def item(declarations: str, body: str, more: str = "", identifier: str = "item-1") -> str:
    return (
        f'<?xml version="1.0"?><qti-assessment-item xmlns="{SPACE}" identifier="{identifier}" title="T" xml:lang="en">'
        f"{declarations}<qti-item-body>{body}</qti-item-body>{more}</qti-assessment-item>"
    )


def declaration(
    *values: str, cardinality: str = "single", base: str = "identifier", name: str = "R", mapping: str = ""
) -> str:
    right = "".join(f"<qti-value>{value}</qti-value>" for value in values)
    return (
        f'<qti-response-declaration identifier="{name}" cardinality="{cardinality}" base-type="{base}">'
        f"<qti-correct-response>{right}</qti-correct-response>{mapping}</qti-response-declaration>"
    )


def mapping(**points: float) -> str:
    entries = "".join(f'<qti-map-entry map-key="{key}" mapped-value="{value}"/>' for key, value in points.items())
    return f'<qti-mapping default-value="-1">{entries}</qti-mapping>'


def choices(tag: str, **texts: str) -> str:
    return "".join(f'<{tag} identifier="{name}">{text}</{tag}>' for name, text in texts.items())


def interaction(kind: str, inside: str = "", name: str = "R") -> str:
    return f'<qti-{kind}-interaction response-identifier="{name}">{inside}</qti-{kind}-interaction>'


PROMPT = "<qti-prompt>Which?</qti-prompt>"
SIMPLE = choices("qti-simple-choice", A="a <b>list</b>", B="a tuple", C="a dict")

GOLDEN: list[tuple[str, dict[str, Any]]] = [
    (
        item(
            declaration("A"),
            interaction("choice", PROMPT + SIMPLE),
            '<qti-modal-feedback identifier="correct">Lists change.</qti-modal-feedback>',
        ),
        {
            "type": "single_choice",
            "prompt": "Which?",
            "options": options(A="a list", B="a tuple", C="a dict"),
            "answer": {"option": "A"},
            "explanation": "Lists change.",
        },
    ),
    (
        item(
            declaration("A", "C", cardinality="multiple", mapping=mapping(A=1, C=1)),
            interaction("choice", PROMPT + SIMPLE),
        ),
        {
            "type": "multiple_choice",
            "prompt": "Which?",
            "options": options(A="a list", B="a tuple", C="a dict"),
            "answer": {"options": ["A", "C"], "partial": "net_correct"},
            "points": 2,
        },
    ),
    (
        item(declaration("A", "C", cardinality="multiple"), interaction("choice", PROMPT + SIMPLE)),
        {
            "type": "multiple_choice",
            "prompt": "Which?",
            "options": options(A="a list", B="a tuple", C="a dict"),
            "answer": {"options": ["A", "C"]},
        },
    ),
    (
        item(declaration("len", base="string"), f"<p>Counts: {interaction('text-entry')}</p>"),
        {"type": "short_text", "prompt": "Counts: ____", "answer": {"accepted": ["len"]}},
    ),
    (
        item(declaration("3.5", base="float"), f"<p>7/2 = {interaction('text-entry')}</p>"),
        {"type": "numeric", "prompt": "7/2 = ____", "answer": {"value": 3.5}},
    ),
    (
        item(
            '<qti-response-declaration identifier="R" cardinality="single" base-type="string"/>'
            '<qti-outcome-declaration identifier="MAXSCORE"><qti-default-value><qti-value>5</qti-value>'
            "</qti-default-value></qti-outcome-declaration>",
            interaction("extended-text", "<qti-prompt>Explain.</qti-prompt>"),
        ),
        {"type": "essay", "prompt": "Explain.", "answer": {}, "points": 5},
    ),
    (
        item(
            declaration("Y"),
            f"<p>It {interaction('inline-choice', choices('qti-inline-choice', X='adds', Y='counts'))}.</p>",
        ),
        {
            "type": "cloze",
            "prompt": "It ____ (adds / counts).",
            "answer": {"blanks": [{"accepted": ["counts"]}]},
        },
    ),
    (
        item(
            declaration("len", base="string") + declaration("add", base="string", name="S"),
            f"<p>{interaction('text-entry')} counts, {interaction('text-entry', name='S')} adds.</p>",
        ),
        {
            "type": "cloze",
            "prompt": "____ counts, ____ adds.",
            "answer": {"blanks": [{"accepted": ["len"]}, {"accepted": ["add"]}]},
        },
    ),
    (
        item(
            declaration("K S", "J T", cardinality="multiple", base="directedPair"),
            interaction(
                "match",
                "<qti-prompt>Capitals</qti-prompt><qti-simple-match-set>"
                + choices("qti-simple-associable-choice", K="Korea", J="Japan")
                + "</qti-simple-match-set><qti-simple-match-set>"
                + choices("qti-simple-associable-choice", S="Seoul", T="Tokyo", B="Beijing")
                + "</qti-simple-match-set>",
            ),
        ),
        {
            "type": "matching",
            "prompt": "Capitals",
            "options": options(S="Seoul", T="Tokyo", B="Beijing"),
            "answer": {"pairs": {"Korea": "S", "Japan": "T"}},
        },
    ),
    (
        item(declaration("B", "A", "C", cardinality="ordered"), interaction("order", PROMPT + SIMPLE)),
        {
            "type": "ordering",
            "prompt": "Which?",
            "options": options(C="a dict", A="a list", B="a tuple"),
            "answer": {"sequence": ["B", "A", "C"]},
        },
    ),
]


@pytest.mark.parametrize(("source", "expected"), GOLDEN)
def test_each_interaction_becomes_a_question_of_ours(source: str, expected: dict[str, Any]) -> None:
    assert question(source) == {"id": "item-1", "language": "en", **expected}


def test_version_2_is_read_by_its_own_names() -> None:
    source = (
        '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="old" title="T">'
        '<responseDeclaration identifier="R" cardinality="single" baseType="identifier">'
        "<correctResponse><value>B</value></correctResponse></responseDeclaration>"
        '<itemBody><choiceInteraction responseIdentifier="R"><prompt>Which?</prompt>'
        '<simpleChoice identifier="A">one</simpleChoice><simpleChoice identifier="B">two</simpleChoice>'
        "</choiceInteraction></itemBody></assessmentItem>"
    )
    assert question(source)["answer"] == {"option": "B"}


@pytest.mark.parametrize(
    "kind",
    ["associate", "hottext", "gap-match", "graphic-order", "hotspot", "slider", "upload", "drawing", "portable-custom"],
)
def test_other_interactions_are_left_by_name(kind: str) -> None:
    assert reason(item(declaration("A"), interaction(kind))) == f"a {kind}-interaction has no counterpart here"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (item("", interaction("choice", SIMPLE)), "'R' is not declared"),
        (item("", "<p>words</p>"), "nothing is asked"),
        (item(declaration("Z"), interaction("choice", PROMPT + SIMPLE)), "no option is wholly right"),
        (item(declaration("A", "B", cardinality="ordered"), interaction("order", SIMPLE)), "every choice once"),
        (item(declaration("A"), interaction("choice", SIMPLE) + interaction("order", SIMPLE)), "several interactions"),
    ],
)
def test_what_cannot_be_said_here_is_left_with_a_reason(source: str, why: str) -> None:
    assert why in reason(source)


def test_a_program_of_its_own_is_told_of() -> None:
    program = "<qti-response-processing><qti-response-condition/></qti-response-processing>"
    notes = taken(item(declaration("A"), interaction("choice", PROMPT + SIMPLE), program)).notes
    assert notes == ("its own response processing was not taken; the declared right response is",)


MANIFEST = """<?xml version="1.0"?>
<manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" identifier="M"><resources>
  <resource identifier="t" type="imsqti_test_xmlv3p0" href="test.xml"/>
  <resource identifier="a" type="imsqti_item_xmlv3p0" href="items/a.xml"><metadata>
    <lom xmlns="http://ltsc.ieee.org/xsd/LOM"><general><keyword><string>loops</string></keyword></general>
    <educational><difficulty><source>LOMv1.0</source><value>very difficult</value></difficulty></educational></lom>
  </metadata></resource>
  <resource identifier="b" type="imsqti_item_xmlv3p0" href="items/missing.xml"/>
  <resource identifier="c" type="imsqti_item_xmlv3p0" href="../../etc/passwd"/>
  <resource identifier="d" type="webcontent" href="cat.png"/>
</resources></manifest>"""


def test_a_package_gives_its_items_in_the_order_of_its_manifest() -> None:
    a = item(declaration("A"), interaction("choice", PROMPT + SIMPLE), identifier="a")
    test, first, missing, outside = read(archive({"imsmanifest.xml": MANIFEST, "items/a.xml": a, "cat.png": b"\x89"}))
    assert isinstance(first, Taken)
    assert (first.where, first.question["id"]) == ("items/a.xml", "a")
    assert (first.question["topics"], first.question["difficulty"]) == (["loops"], 5)
    assert test == Left("test.xml", "a test or section of one, not a question")
    assert isinstance(missing, Left)
    assert isinstance(outside, Left)
    assert "no file" in missing.reason
    assert "no file" in outside.reason
