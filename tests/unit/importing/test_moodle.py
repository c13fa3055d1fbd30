from typing import Any

import pytest

from pipeline.importing.item import Taken
from tests.unit.importing.reads import options, question, read, reason, taken


def quiz(*questions: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><quiz>{"".join(questions)}</quiz>'


def one(kind: str, inside: str, name: str = "Item", text: str = "Why?") -> str:
    return quiz(
        f'<question type="{kind}"><name><text>{name}</text></name>'
        f'<questiontext format="html"><text><![CDATA[{text}]]></text></questiontext>{inside}</question>'
    )


def answer(text: str, fraction: str = "0", inside: str = "") -> str:
    return f'<answer fraction="{fraction}" format="html"><text><![CDATA[{text}]]></text>{inside}</answer>'


GOLDEN: list[tuple[str, dict[str, Any]]] = [
    (
        one(
            "multichoice",
            "<single>true</single><defaultgrade>2.0000000</defaultgrade>"
            "<generalfeedback><text>Lists change.</text></generalfeedback>"
            + answer("<p>a list</p>", "100", "<feedback><text>Yes.</text></feedback>")
            + answer("a tuple"),
        ),
        {
            "type": "single_choice",
            "options": options(a="a list", b="a tuple"),
            "answer": {"option": "a"},
            "points": 2,
            "explanation": "Lists change.\nYes.",
        },
    ),
    (
        one(
            "multichoice",
            "<single>false</single>"
            + answer("2", "50")
            + answer("4", "50")
            + answer("5", "-50")
            + answer("7", "-50")
            + "<tags><tag><text>numbers</text></tag><tag><text>difficulty:2</text></tag></tags>",
        ),
        {
            "type": "multiple_choice",
            "options": options(a="2", b="4", c="5", d="7"),
            "answer": {"options": ["a", "b"], "partial": "net_correct"},
            "topics": ["numbers"],
            "difficulty": 2,
        },
    ),
    (
        one("truefalse", answer("true", "0") + answer("false", "100")),
        {"type": "true_false", "answer": {"value": False}},
    ),
    (
        one("shortanswer", "<usecase>1</usecase>" + answer("len", "100") + answer("size", "50")),
        {"type": "short_text", "answer": {"accepted": ["len"], "case_sensitive": True}},
    ),
    (
        one(
            "numerical",
            answer("9.81", "100", "<tolerance>0.01</tolerance>")
            + answer("*", "0")
            + "<units><unit><multiplier>1</multiplier><unit_name>m</unit_name></unit></units>",
        ),
        {"type": "numeric", "answer": {"value": 9.81, "tolerance": 0.01, "unit": "m"}},
    ),
    (
        one(
            "matching",
            "<subquestion><text>Korea</text><answer><text>Seoul</text></answer></subquestion>"
            "<subquestion><text>Japan</text><answer><text>Tokyo</text></answer></subquestion>"
            "<subquestion><text></text><answer><text>Beijing</text></answer></subquestion>",
        ),
        {
            "type": "matching",
            "options": options(a="Seoul", b="Tokyo", c="Beijing"),
            "answer": {"pairs": {"Korea": "a", "Japan": "b"}},
        },
    ),
    (
        one("ordering", answer("edit", "1") + answer("add", "2") + answer("commit", "3")),
        {
            "type": "ordering",
            "options": options(a="add", b="commit", c="edit"),
            "answer": {"sequence": ["c", "a", "b"]},
        },
    ),
    (
        one("essay", '<graderinfo format="html"><text>Names a key.</text></graderinfo>'),
        {"type": "essay", "answer": {"reference": "Names a key."}},
    ),
    (
        one("cloze", "", text="{1:SHORTANSWER:=len~%50%size} counts, {1:MULTICHOICE:=append~add} adds."),
        {
            "type": "cloze",
            "prompt": "____ counts, ____ (append / add) adds.",
            "answer": {"blanks": [{"accepted": ["len"]}, {"accepted": ["append"]}]},
        },
    ),
    (
        one(
            "gapselect",
            "<selectoption><text>len</text></selectoption><selectoption><text>add</text></selectoption>",
            text="[[1]] counts.",
        ),
        {
            "type": "cloze",
            "prompt": "____ counts.\n(len / add)",
            "answer": {"blanks": [{"accepted": ["len"]}]},
        },
    ),
]


@pytest.mark.parametrize(("source", "expected"), GOLDEN)
def test_each_kind_of_question_becomes_one_of_ours(source: str, expected: dict[str, Any]) -> None:
    assert question(source) == {"id": "item", "prompt": "Why?", **expected}


def test_categories_and_id_numbers_are_taken() -> None:
    category = '<question type="category"><category><text>$course$/top/Python</text></category></question>'
    item = one("essay", "<idnumber>py-7</idnumber>").removeprefix(quiz().removesuffix("</quiz>"))
    read_one = question(quiz(category, item.removesuffix("</quiz>")))
    assert (read_one["id"], read_one["module"], read_one["topics"]) == ("py-7", "Python", ["Python"])


def test_files_images_and_hints_are_named_where_they_are_lost() -> None:
    source = quiz(
        '<question type="essay"><name><text>x</text></name><questiontext format="html">'
        '<text><![CDATA[<img src="@@PLUGINFILE@@/cat.png"> Why?]]></text>'
        '<file name="cat.png" encoding="base64">AAAA</file></questiontext><hint><text>h</text></hint></question>'
    )
    assert taken(source).question["prompt"] == "[image] Why?"
    assert taken(source).notes == (
        "the file cat.png was not taken",
        "the image cat.png was not taken",
        "hints were not taken",
    )


@pytest.mark.parametrize(
    ("kind", "inside", "why"),
    [
        ("calculated", "", "'calculated' has no counterpart"),
        ("description", "", "'description' has no counterpart"),
        ("multichoice", answer("a", "50") + answer("b"), "no option is wholly right"),
        ("truefalse", answer("true"), "neither true nor false"),
        ("numerical", answer("many", "100"), "is no number"),
        ("cloze", "", "no blanks"),
        ("shortanswer", "", "no accepted answer"),
    ],
)
def test_what_cannot_be_said_here_is_left_with_a_reason(kind: str, inside: str, why: str) -> None:
    assert why in reason(one(kind, inside))


def test_two_questions_of_one_name_get_two_ids_that_stay_the_same() -> None:
    source = one("essay", "", text="a").replace("</quiz>", "") + one("essay", "", text="b").partition("<quiz>")[2]
    ids = [item.question["id"] for item in read(source) if isinstance(item, Taken)]
    assert ids[0] == "item"
    assert ids[1].startswith("item.")
    assert [item.question["id"] for item in read(source) if isinstance(item, Taken)] == ids
