from typing import Any

import pytest

from pipeline.importing.item import Left, Taken
from tests.unit.importing.reads import options, question, read, reason, taken

GOLDEN: list[tuple[str, dict[str, Any]]] = [
    (
        "::Sum:: What is 2 + 2? {~3 =4#Two pairs. ~5}",
        {
            "id": "sum",
            "type": "single_choice",
            "prompt": "What is 2 + 2?",
            "options": options(a="3", b="4", c="5"),
            "answer": {"option": "b"},
            "explanation": "Two pairs.",
        },
    ),
    (
        "::Even:: Which are even? {~%50%2 ~%50%4 ~%-50%5 ~%-50%7}",
        {
            "id": "even",
            "type": "multiple_choice",
            "prompt": "Which are even?",
            "options": options(a="2", b="4", c="5", d="7"),
            "answer": {"options": ["a", "b"], "partial": "net_correct"},
        },
    ),
    (
        "::Earth:: The earth is flat. {FALSE#No, look.#Right.####Eratosthenes measured it.}",
        {
            "id": "earth",
            "type": "true_false",
            "prompt": "The earth is flat.",
            "answer": {"value": False},
            "explanation": "Eratosthenes measured it.\nRight.",
        },
    ),
    (
        "::Len:: The function {=len =len()} counts.",
        {
            "id": "len",
            "type": "short_text",
            "prompt": "The function ____ counts.",
            "answer": {"accepted": ["len", "len()"]},
        },
    ),
    (
        "::Wild:: Name a list method. {=append* =insert}",
        {
            "id": "wild",
            "type": "short_text",
            "prompt": "Name a list method.",
            "answer": {"accepted": ["insert"], "pattern": "append.*"},
        },
    ),
    (
        "::Pi:: Pi is {#3.14:0.01}.",
        {
            "id": "pi",
            "type": "numeric",
            "prompt": "Pi is ____.",
            "answer": {"value": 3.14, "tolerance": 0.01},
        },
    ),
    (
        "::Range:: From one to five {#1..5}",
        {"id": "range", "type": "numeric", "prompt": "From one to five", "answer": {"value": 3.0, "tolerance": 2.0}},
    ),
    (
        "::Year:: When? {#=1822:0#Yes. =%50%1822:2}",
        {
            "id": "year",
            "type": "numeric",
            "prompt": "When?",
            "answer": {"value": 1822},
            "explanation": "Yes.",
        },
    ),
    (
        "::Capitals:: Match. {=Korea -> Seoul =Japan -> Tokyo = -> Beijing}",
        {
            "id": "capitals",
            "type": "matching",
            "prompt": "Match.",
            "options": options(a="Seoul", b="Tokyo", c="Beijing"),
            "answer": {"pairs": {"Korea": "a", "Japan": "b"}},
        },
    ),
    ("::Why:: Why? {}", {"id": "why", "type": "essay", "prompt": "Why?", "answer": {}}),
    (
        r"::Braces:: What is \{\}\: a set\=dict\~? {=a \#dict}",
        {
            "id": "braces",
            "type": "short_text",
            "prompt": "What is {}: a set=dict~?",
            "answer": {"accepted": ["a #dict"]},
        },
    ),
]


@pytest.mark.parametrize(("source", "expected"), GOLDEN, ids=[str(expected["id"]) for _, expected in GOLDEN])
def test_each_kind_of_question_becomes_one_of_ours(source: str, expected: dict[str, Any]) -> None:
    assert question(source) == expected


def test_categories_are_modules_and_topics_until_the_next_one() -> None:
    first, second = read("$CATEGORY: $course$/top/Python/Loops\n\n::A:: a {T}\n\n$CATEGORY: SQL\n\n::B:: b {F}\n")
    assert isinstance(first, Taken)
    assert isinstance(second, Taken)
    assert (first.question["module"], first.question["topics"]) == ("Python/Loops", ["Loops"])
    assert (second.question["module"], second.question["topics"]) == ("SQL", ["SQL"])
    assert (first.question["id"], second.question["id"]) == ("python-loops.a", "sql.b")


def test_ids_and_tags_in_comments_are_taken() -> None:
    read_one = question("// [id:loop-7] [tag:loops] [tag:difficulty:4]\n::Any:: a {T}")
    assert (read_one["id"], read_one["topics"], read_one["difficulty"]) == ("loop-7", ["loops"], 4)


def test_markup_becomes_plain_text_and_images_are_named() -> None:
    item = taken('::Cat:: [html]<p>What <b>is</b></p><p>this\\: <img src\\="a/cat.png" alt\\="a cat"></p> {=a cat}')
    assert item.question["prompt"] == "What is\n\nthis: [a cat]"
    assert item.notes == ("the image cat.png was not taken",)


def test_feedback_on_wrong_answers_is_told_of() -> None:
    assert taken("a {=b ~c#no}").notes == ("feedback on wrong answers was not taken",)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("::Only:: words", "no answer in braces"),
        ("::Open:: a {=b", "no closing brace"),
        ("::Two a {=b}", "title does not end"),
        ("a {=b} c {=d}", "more than one answer"),
        ("a {b}", "neither = nor ~"),
        ("a {~b ~c}", "no option is wholly right"),
        ("a {=b =c ~d}", "one of them is enough"),
        ("a {#x}", "is no number"),
        ("a {#=1 =2}", "several different numbers"),
        ("a {=x -> 1}", "fewer than two pairs"),
    ],
)
def test_what_cannot_be_said_here_is_left_with_a_reason(source: str, why: str) -> None:
    assert why in reason(source, "bank.gift")


def test_one_broken_question_leaves_its_neighbours_alone() -> None:
    first, second, third = read("a {T}\n\nb {\n\nc {F}")
    assert isinstance(second, Left)
    assert second.where == "line 3"
    assert isinstance(first, Taken)
    assert isinstance(third, Taken)
