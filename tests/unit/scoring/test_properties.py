"""What holds for every response, whatever a client sends."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import Outcome, Question
from pipeline.scoring.answer_key import QUESTION_TYPES
from pipeline.scoring.rule import score
from pipeline.scoring.selection import PARTIAL_MODES
from pipeline.scoring.shape import check_response, is_unanswered
from tests.unit.scoring.samples import OPTIONS, keyed, question

KEYED_TYPES = [name for name in QUESTION_TYPES if name != "essay"]
CPU_LIMIT_SECONDS = 0.05

words = st.text(min_size=1, max_size=60).filter(lambda text: text.strip("\x00\u200b\u2060\ufeff\u00ad \t\n\r"))
texts = words.filter(lambda text: "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)).filter(
    lambda text: bool(text.strip())
)
ids = st.text(alphabet="abcdefgh一二あか가나", min_size=1, max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)
near_responses = st.lists(st.sampled_from(["a", "b", "c", "d", "z", "", "len", "1"]) | st.none(), max_size=8)
near_pairs = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "", None]), max_size=3)
responses = json_values | near_responses | near_pairs


def assert_sound(asked: Question, response: Any) -> None:
    given_score = score(asked, response)
    assert given_score == score(asked, response)
    assert given_score.outcome in Outcome
    assert given_score.max_points == asked.points
    if given_score.fraction is None:
        assert (asked.type, given_score.points) == ("essay", None)
        return
    assert 0.0 <= given_score.fraction <= 1.0
    assert given_score.points == round(given_score.fraction * asked.points, 4)
    if is_unanswered(asked, response):
        assert given_score.outcome is Outcome.UNANSWERED


@pytest.mark.parametrize("question_type", QUESTION_TYPES)
@given(response=responses)
@settings(deadline=None)
def test_any_response_gets_a_sound_score(question_type: str, response: Any) -> None:
    asked = question(question_type, points=3)
    assert_sound(asked, response)
    check_response(asked, response)


@given(response=responses)
def test_an_unanswered_response_is_never_malformed(response: Any) -> None:
    for question_type in QUESTION_TYPES:
        asked = question(question_type)
        if is_unanswered(asked, response):
            assert check_response(asked, response) == ()


@given(accepted=st.lists(texts, min_size=1, max_size=5), answer=texts, prompt=texts)
@settings(deadline=None)
def test_likeness_is_sound_and_the_key_is_fully_alike(accepted: list[str], answer: str, prompt: str) -> None:
    asked = question("short_text", answer={"accepted": accepted, "match": "similar"}, prompt=prompt)
    assert_sound(asked, answer)
    assert all(score(asked, text).fraction == 1.0 for text in accepted)


@given(accepted=st.lists(texts, min_size=1, max_size=4), case_sensitive=st.booleans())
def test_any_accepted_text_is_correct_in_short_texts_and_blanks(accepted: list[str], case_sensitive: bool) -> None:
    key = {"accepted": accepted, "case_sensitive": case_sensitive}
    assert all(score(keyed("short_text", **key), text).outcome is Outcome.CORRECT for text in accepted)
    assert score(keyed("cloze", blanks=[key, key]), [accepted[0], accepted[-1]]).fraction == 1.0


@given(sequence=st.lists(ids, min_size=2, max_size=12, unique=True), data=st.data())
def test_an_ordering_is_1_only_in_the_right_order(sequence: list[str], data: st.DataObject) -> None:
    asked = question("ordering", options=[], answer={"sequence": sequence})
    arranged = data.draw(st.permutations(sequence))
    assert (score(asked, arranged).fraction == 1.0) is (arranged == sequence)


@given(pairs=st.dictionaries(ids, ids, min_size=1, max_size=8))
def test_the_right_pairs_are_1_and_fewer_are_less(pairs: dict[str, str]) -> None:
    asked = keyed("matching", pairs=pairs)
    assert score(asked, pairs).fraction == 1.0
    if len(pairs) > 1:
        assert score(asked, dict(list(pairs.items())[1:])).fraction == round((len(pairs) - 1) / len(pairs), 6)


@given(value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_a_number_is_its_own_key_as_number_and_as_text(value: float) -> None:
    asked = keyed("numeric", value=value)
    assert score(asked, value).fraction == 1.0
    assert score(asked, repr(value)).fraction == 1.0


option_lists = st.lists(st.sampled_from("abcd"), min_size=1, max_size=8)


@pytest.mark.parametrize("mode", PARTIAL_MODES)
@given(key=st.sets(st.sampled_from("abcd"), min_size=1), picked=option_lists, data=st.data())
def test_order_and_duplicates_of_picked_options_do_not_matter(
    mode: str, key: set[str], picked: list[str], data: st.DataObject
) -> None:
    asked = question("multiple_choice", options=OPTIONS, answer={"options": sorted(key), "partial": mode})
    shuffled = data.draw(st.permutations(picked + picked))
    assert score(asked, shuffled) == score(asked, picked)
    assert score(asked, sorted(key)).fraction == 1.0
    assert (score(asked, picked).fraction == 1.0) is (set(picked) == key)


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process alone, the best of three, so that a busy machine decides nothing."""

    def once() -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    return min(once() for _ in range(3))


LONG_KEYS = [" ".join(f"word{index}x{line}" for index in range(40)) for line in range(50)]
HOSTILE_RESPONSES = {
    "one letter": "a" * 20_000,
    "one word": "spam " * 4_000,
    "other words": " ".join(f"word{index}" for index in range(2_200)),
    "Han": "字" * 20_000,
    "varied Han": "".join(chr(0x4E00 + index % 20_000) for index in range(20_000)),
    "Hangul in pieces": "\u1112\u1161\u11ab" * 6_666,
    "marks": "a" + "\u0316\u0301\u0315\u0321" * 4_999,
    "rare marks": "a" + "\U0001d165\U0001d16d" * 9_999,
    "ligature": "\ufdfa" * 20_000,
    "blanks": " \u3000" * 9_999 + "x",
    "digits": "9" * 20_000,
    "separators": "1,2.3 " * 3_333,
    "as long as a pattern reads": "ab字" * 166,
    "alternating": "ab" * 10_000,
    "emoji": "👩‍👩‍👧" * 4_000,
    "negations": "not never no " * 1_500,
    "apostrophes": "n't'" * 5_000,
}
HOSTILE_QUESTIONS = {
    "similar": keyed("short_text", accepted=[line[:290] for line in LONG_KEYS], match="similar"),
    "nested": keyed("short_text", accepted=["x"], pattern="(((a*)*)*)*b"),
    "counted": keyed("short_text", accepted=["x"], pattern="(?:(?:a?){30}){30}x"),
    "wide": keyed("short_text", accepted=["x"], pattern=".*a.{14}b.*a.{30}a.{200}c"),
    "largest": keyed("short_text", accepted=["x"], pattern=".*[ab字]{0,300}c[ab字]{0,300}d"),
    "cloze": keyed("cloze", blanks=[{"accepted": ["x"], "pattern": "(?:a|b)*a(?:a|b){10}c"}] * 50),
    "numeric": keyed("numeric", value=1),
    "essay": question("essay"),
}


@pytest.mark.parametrize("response", HOSTILE_RESPONSES.values(), ids=HOSTILE_RESPONSES.keys())
@pytest.mark.parametrize("asked", HOSTILE_QUESTIONS.values(), ids=HOSTILE_QUESTIONS.keys())
def test_no_response_takes_more_than_50_ms(asked: Question, response: str) -> None:
    shaped = [response[:500]] * len(asked.answer["blanks"]) if asked.type == "cloze" else response
    assert cpu_seconds(lambda: score(asked, shaped)) < CPU_LIMIT_SECONDS


@pytest.mark.parametrize("response", [["a"] * 200_000, {str(index): "1" for index in range(100_000)}, "x" * 2_000_000])
@pytest.mark.parametrize("question_type", QUESTION_TYPES)
def test_huge_responses_are_refused_and_scored_at_once(question_type: str, response: Any) -> None:
    asked = question(question_type)
    assert check_response(asked, response)
    assert score(asked, response).outcome is Outcome.INCORRECT
    assert cpu_seconds(lambda: score(asked, response)) < CPU_LIMIT_SECONDS
