"""A hidden solution is not told: not in its words, by its number, its letter, its order or its pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import JsonValue, Question
from pipeline.prompting.disclosure import secret_of, tells
from tests.unit.prompting.cases import CHOICE, ESSAY, SHORT


def question(kind: str, answer: dict[str, JsonValue], prompt: str = "What is it?", **options: str) -> Question:
    return Question(
        id="q",
        version=1,
        type=kind,
        prompt=prompt,
        answer=answer,
        options=tuple({"id": name, "text": text} for name, text in options.items()),
    )


NUMBER = question("numeric", {"value": 150, "relative_tolerance": 0.02, "unit": "MB/s"}, "1.2 GB in 8 s?")
SEVEN = question("numeric", {"value": 7}, "How many days has a week?")
BLANKS = question("cloze", {"blanks": [{"accepted": ["len"]}, {"accepted": ["append", ".append()"]}]})
ORDER = question("ordering", {"sequence": ["edit", "add", "push"]}, edit="change", add="git add", push="git push")
PAIRS = question("matching", {"pairs": {"201": "created", "404": "missing"}}, created="new", missing="not there")
KOREAN = question("short_text", {"accepted": ["스택"]})
CHINESE = question(
    "short_text",
    {
        "accepted": [
            "因为栈是先进后出的数据结构，所以最后进入的元素总是最先离开栈，其余元素要等它离开之后才能依次离开，顺序正好相反，没有例外"
        ]
    },
)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (SHORT, "Use len."),
        (SHORT, "It is LEN!"),
        (SHORT, "`len` does it"),
        (SHORT, "**l**en"),
        (SHORT, "l e n"),
        (SHORT, "ｌｅｎ"),
        (CHOICE, "It gives [2, 5]."),
        (CHOICE, "Option b fits."),
        (CHOICE, "The answer is B."),
        (CHOICE, "(b)"),
        (CHOICE, "b is correct"),
        (CHOICE, "Look at the second option again."),
        (CHOICE, "두 번째 보기를 보세요."),
        (CHOICE, "2番目を見てください。"),
        (CHOICE, "看看第二个选项。"),
        (SEVEN, "There are seven days."),
        (NUMBER, "You should get 150."),
        (NUMBER, "about 149,5 MB/s"),
        (NUMBER, "1.5e2"),
        (NUMBER, "１５０"),
        (BLANKS, "The second one is append"),
        (ORDER, "edit → add → push"),
        (ORDER, "First change, then git add, at last git push."),
        (PAIRS, "404 means not there."),
        (PAIRS, "404: missing"),
        (KOREAN, "스택을 생각해 보세요."),
        (CHINESE, "想想：最后进入的元素总是最先离开栈。"),
        (ESSAY, "Give each request an idempotency key, then retry."),
    ],
)
def test_what_gives_the_solution_away_is_noticed(asked: Question, text: str) -> None:
    assert tells(text, secret_of(asked))


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (SHORT, "Think of the length of a word; lengthen the list."),
        (CHOICE, "Where does a range stop? Try a shorter one."),
        (CHOICE, "Write down each number by hand."),
        (NUMBER, "Bring 1.2 GB to megabytes, then divide by 8."),
        (BLANKS, "Which method adds something at the end?"),
        (ORDER, "What must happen before you can push?"),
        (PAIRS, "Look up what begins with a 4."),
        (KOREAN, "나중에 넣은 것이 먼저 나오는 구조를 생각해 보세요."),
        (CHINESE, "想一想哪个元素先离开。"),
        (ESSAY, "What would the server have to remember?"),
    ],
)
def test_a_hint_is_no_solution(asked: Question, text: str) -> None:
    assert not tells(text, secret_of(asked))


def test_what_the_question_itself_says_is_no_secret() -> None:
    asked = question("short_text", {"accepted": ["list", "array"]}, "Is a list or a dict ordered by position?")

    assert not tells("A list keeps its order.", secret_of(asked))
    assert tells("It is an array.", secret_of(asked))


def test_true_or_false_is_told_by_the_outcome_alone() -> None:
    assert not tells("The statement is false.", secret_of(question("true_false", {"value": False})))


@given(st.text(max_size=100))
def test_any_text_can_be_looked_at(text: str) -> None:
    for asked in (SHORT, CHOICE, NUMBER, BLANKS, ORDER, PAIRS, KOREAN, ESSAY):
        assert tells(text, secret_of(asked)) in {True, False}
