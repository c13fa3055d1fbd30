import pytest

from pipeline.model import Outcome
from pipeline.scoring.rule import score
from pipeline.scoring.similarity import similarity
from pipeline.scoring.stem import stem
from tests.unit.scoring.samples import keyed

KEY = "Terminals 1 and 4 are not separated by the gap"


def likeness(answer: str, *accepted: str, prompt: str = "") -> float:
    return similarity(answer, accepted, prompt)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        "a",
        "it is",
        "not",
        "C++",
        "<=",
        "🙂",
        "데이터 구조를 정렬한다",
        "スタックは後入れ先出しである",
        "栈是先进后出的线性表",
    ],
)
def test_the_key_itself_is_fully_alike_however_it_is_cased_or_spaced(key: str) -> None:
    assert likeness(key, "something else", key) == 1.0
    assert likeness(f"  {key.upper()} \n", key) == 1.0


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ("Terminals 1 and 4 are separated by the gap", KEY),
        ("The light is on", "The light is not on"),
        ("it works", "it doesn't work"),
        ("栈不是先进后出的", "栈是先进后出的"),
        ("支持随机访问", "不支持随机访问"),
        ("スタックは線形構造ではない", "スタックは線形構造である"),
        ("순차 접근을 지원하지 않는다", "순차 접근을 지원한다"),
        ("안 된다", "된다"),
        ("der Wert ist nicht konstant", "der Wert ist konstant"),
    ],
)
def test_the_opposite_is_well_below_the_key(answer: str, key: str) -> None:
    assert likeness(answer, key) < 0.85
    assert likeness(key, answer) < 0.85


def test_saying_both_a_thing_and_its_opposite_is_not_fully_alike() -> None:
    assert likeness("they are connected and they are not connected", "they are connected") < 0.9


@pytest.mark.parametrize(
    ("closer", "farther", "key"),
    [
        ("the bulbs connect in one path", "the bulbs are bright", "bulbs are connected in a path"),
        ("seperated by a gap", "joined by a wire", "separated by a gap"),
        ("the sand settles first", "it", "The sand particles settle first."),
        (
            "use a linked list as inserting is cheap",
            "use an array",
            "A linked list, because insertion is cheap",
        ),
        ("リストの途中に挿入できる", "配列を使う", "リストの途中への挿入が速い"),
        ("중간에 삽입하기 쉽다", "배열을 쓴다", "중간 삽입이 쉽다"),
        ("插入只需修改指针", "数组支持随机访问", "插入和删除只需要修改指针"),
    ],
)
def test_an_answer_closer_to_the_key_scores_higher(closer: str, farther: str, key: str) -> None:
    assert likeness(closer, key) > likeness(farther, key)


def test_words_of_the_prompt_say_less_than_new_ones() -> None:
    prompt = "Why does an open switch impact a circuit?"
    key = "The open switch creates a gap in the circuit"
    assert likeness("an open switch in a circuit", key, prompt=prompt) < likeness("creates a gap", key, prompt=prompt)


def test_number_words_and_digits_are_the_same() -> None:
    assert likeness("terminal one is connected to terminal two", "Terminal 1 is connected to terminal 2") == 1.0


def test_opposites_by_prefix_do_not_pass_as_misspellings() -> None:
    assert likeness("disconnected", "connected") == 0.0
    assert likeness("decreases", "increases") == 0.0


def test_the_best_of_several_references_counts() -> None:
    assert likeness("a gap", "an open path", "there is a gap", "a gap") == 1.0


def test_texts_without_words_are_compared_by_their_symbols() -> None:
    assert 0.0 < likeness("<==", "<=") < 1.0
    assert likeness("🙂", "<=") == 0.0
    assert likeness("🙂", "words") == 0.0


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("connected", "connect"),
        ("connecting", "connect"),
        ("connects", "connect"),
        ("stopped", "stop"),
        ("batteries", "battery"),
        ("gases", "gas"),
        ("paths", "path"),
    ],
)
def test_inflected_words_share_a_stem(word: str, expected: str) -> None:
    assert stem(word) == stem(expected)


@pytest.mark.parametrize("word", ["glass", "is", "gap", "链表", "자료", "3.5"])
def test_words_without_inflection_stay(word: str) -> None:
    assert stem(word) == word


# Of the three words two are found: recall 2/3, precision 1, so 1 / (0.85 / (2/3) + 0.15) = 0.701754.
@pytest.mark.parametrize(
    ("threshold", "outcome"),
    [
        (0.3, Outcome.CORRECT),
        (0.701754, Outcome.CORRECT),
        (0.75, Outcome.NEEDS_REVIEW),
        (0.95, Outcome.NEEDS_REVIEW),
        (0.96, Outcome.INCORRECT),
    ],
)
def test_the_outcome_depends_on_the_threshold_but_not_the_fraction(threshold: float, outcome: Outcome) -> None:
    asked = keyed("short_text", accepted=["red green blue"], match="similar", threshold=threshold)
    given = score(asked, "red green")
    assert (given.outcome, given.fraction) == (outcome, 0.701754)


def test_an_exact_key_knows_no_likeness() -> None:
    assert score(keyed("short_text", accepted=["red green blue"]), "red green").fraction == 0.0


def test_nothing_alike_is_incorrect_not_for_review() -> None:
    asked = keyed("short_text", accepted=["red"], match="similar", threshold=0.1)
    assert score(asked, "blue").outcome is Outcome.INCORRECT


@pytest.mark.parametrize(
    ("answer", "response", "right"),
    [
        ({"accepted": ["Tokyo"]}, "ＴＯＫＹＯ ", True),
        ({"accepted": ["東京"]}, "東 京", True),
        ({"accepted": ["서울"]}, "\u1109\u1165\u110b\u116e\u11af", True),
        ({"accepted": ["NaN"], "case_sensitive": True}, "nan", False),
        ({"accepted": ["NaN"], "case_sensitive": True}, "ＮａＮ", True),
        ({"accepted": ["x"], "pattern": "colou?r"}, "Colour", True),
        ({"accepted": ["x"], "pattern": "colou?r"}, "colours", False),
        ({"accepted": ["x"], "pattern": "colou?r", "case_sensitive": True}, "Colour", False),
        ({"accepted": ["x"], "pattern": r"[0-9]{3}-[0-9]{4}"}, "１２３-４５６７", True),
        ({"pattern": r"\p{Han}{2}"}, "链表", True),
        ({"pattern": "a+"}, "a" * 501, False),
        ({"accepted": ["x", "y"]}, "Y", True),
        ({"accepted": ["x."]}, "x", False),
    ],
)
def test_short_text_is_right_by_equality_or_pattern(answer: dict[str, object], response: str, right: bool) -> None:
    assert score(keyed("short_text", **answer), response).outcome is (Outcome.CORRECT if right else Outcome.INCORRECT)
