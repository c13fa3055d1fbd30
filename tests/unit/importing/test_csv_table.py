from typing import Any

import pytest

from pipeline.importing.item import Left, Taken
from tests.unit.importing.reads import options, question, read, reason, taken

GOLDEN: list[tuple[str, dict[str, Any]]] = [
    (
        "id,type,prompt,options,answer,points,difficulty\nx,single_choice,Which?,a list|a tuple,b,2,4",
        {
            "type": "single_choice",
            "prompt": "Which?",
            "options": options(a="a list", b="a tuple"),
            "answer": {"option": "b"},
            "points": 2,
            "difficulty": 4,
        },
    ),
    (
        "id;type;prompt;options;answer\nx;multiple_choice;Even?;2|3|4;2|4",
        {
            "type": "multiple_choice",
            "prompt": "Even?",
            "options": options(a="2", b="3", c="4"),
            "answer": {"options": ["a", "c"], "partial": "net_correct"},
        },
    ),
    (
        "id\ttype\tprompt\tanswer\nx\ttrue_false\tFlat?\tFALSE",
        {"type": "true_false", "prompt": "Flat?", "answer": {"value": False}},
    ),
    (
        "id,type,prompt,answer,tolerance,unit\nx,numeric,Rate?,9.81,0.01,m",
        {"type": "numeric", "prompt": "Rate?", "answer": {"value": 9.81, "tolerance": 0.01, "unit": "m"}},
    ),
    (
        'id,type,prompt,answer,topics,module\nx,short_text,"Two\nlines, one cell",len|len(),lists|python,Python/Lists',
        {
            "type": "short_text",
            "prompt": "Two\nlines, one cell",
            "answer": {"accepted": ["len", "len()"]},
            "topics": ["lists", "python"],
            "module": "Python/Lists",
        },
    ),
    (
        "id,type,prompt,answer\nx,cloze,____ and ____,len;len()|append",
        {
            "type": "cloze",
            "prompt": "____ and ____",
            "answer": {"blanks": [{"accepted": ["len", "len()"]}, {"accepted": ["append"]}]},
        },
    ),
    (
        "id,type,prompt,answer\nx,ordering,Sort.,edit|add|commit",
        {
            "type": "ordering",
            "prompt": "Sort.",
            "options": options(a="add", b="commit", c="edit"),
            "answer": {"sequence": ["c", "a", "b"]},
        },
    ),
    (
        "id,type,prompt,options,answer\nx,matching,Match.,Beijing,Korea=Seoul|Japan=Tokyo",
        {
            "type": "matching",
            "prompt": "Match.",
            "options": options(a="Seoul", b="Tokyo", c="Beijing"),
            "answer": {"pairs": {"Korea": "a", "Japan": "b"}},
        },
    ),
    (
        "id,type,prompt,answer,explanation,tags\nx,essay,Why?,Because.,So.,mine",
        {
            "type": "essay",
            "prompt": "Why?",
            "answer": {"reference": "Because."},
            "explanation": "So.",
            "tags": ["mine"],
        },
    ),
]


@pytest.mark.parametrize(("source", "expected"), GOLDEN)
def test_each_type_can_stand_in_a_table(source: str, expected: dict[str, Any]) -> None:
    assert question(source) == {"id": "x", **expected}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_tables_of_spreadsheets_are_read_in_their_encodings(encoding: str) -> None:
    assert question("type,prompt,answer\r\nessay,왜?,\r\n".encode(encoding))["prompt"] == "왜?"


def test_an_option_whose_text_is_a_letter_is_meant_before_the_letter() -> None:
    assert question("type,prompt,options,answer\nsingle_choice,Which?,b|a,b")["answer"] == {"option": "a"}


def test_columns_nobody_knows_are_told_of() -> None:
    assert taken("type,prompt,answer,colour\nessay,Why?,,red").notes == ("the column colour was not taken",)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("riddle,Why?,", "'riddle' is none of"),
        ("numeric,Why?,many", "'many' is no number"),
        ("true_false,Why?,perhaps", "neither true nor false"),
        ("single_choice,Why?,b", "none of the options"),
        ("essay,,", "/prompt Is required"),
    ],
)
def test_what_is_wrong_is_told(row: str, why: str) -> None:
    assert why in reason(f"type,prompt,answer\n{row}")


def test_a_cell_that_never_ends_leaves_the_rest_with_a_reason() -> None:
    first, rest = read('type,prompt,answer\nessay,Why?,\nessay,"' + "x" * 200_000)
    assert isinstance(first, Taken)
    assert isinstance(rest, Left)
    assert "broken from here on" in rest.reason
