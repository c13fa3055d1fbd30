import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange import Turn
from pipeline.model import Outcome
from pipeline.prompting.facts import with_response
from pipeline.prompting.picture import PERSONALIZED, PROMPTS, WEAKNESS_FOCUSED, Bucket
from pipeline.prompting.render import asked_again, prompt_text, render, request_key
from pipeline.prompting.reply import ANSWER_REPLY, Rejection
from tests.unit.prompting.cases import CHOICE, SHORT, facts, hidden

FENCE = "k3v9x7q2m5p8"
LINE = re.compile(r"^<<(end )?([a-z]+) ([0-9a-z]+)>>$", re.MULTILINE)


@pytest.mark.parametrize("text_id", PROMPTS)
def test_the_static_part_is_the_same_whatever_the_facts(text_id: str) -> None:
    one = render(facts(), text_id, fence=FENCE)
    other = render(facts(hidden(SHORT), "size", Outcome.PARTIAL, locale="ko"), text_id, fence="another0fence")

    assert one.system == other.system
    assert one.user != other.user


@pytest.mark.parametrize("text_id", PROMPTS)
def test_a_prompt_names_its_version_and_its_schema(text_id: str) -> None:
    prompt = render(facts(), text_id, fence=FENCE)

    assert prompt.reference == f"{text_id}/en@{prompt_text(text_id).version}"
    assert (prompt.schema_name, prompt.schema) == (prompt_text(text_id).schema, ANSWER_REPLY)


@pytest.mark.parametrize("text_id", PROMPTS)
def test_the_static_part_names_every_field_of_the_reply(text_id: str) -> None:
    system = render(facts(), text_id, fence=FENCE).system

    assert all(f'"{field}"' in system for field in ANSWER_REPLY["required"])


def test_everything_that_people_wrote_stands_between_fences() -> None:
    known = facts(learner=Bucket(career_goal="GOALWORD"), finding="FINDWORD", locale="ja")
    known = msgspec.structs.replace(
        known, question="ASKWORD", options="OPTWORD", solution="SOLWORD", explanation="WHYWORD", response="ANSWORD"
    )

    user = render(known, PERSONALIZED, fence=FENCE).user

    outside = re.sub(rf"<<([a-z]+) {FENCE}>>\n.*?\n<<end \1 {FENCE}>>", "", user, flags=re.DOTALL)
    assert "Japanese" in outside
    assert "not correct" in outside
    assert "WORD" not in outside
    assert user.count("WORD") == 7


def test_a_hidden_solution_is_not_in_the_prompt() -> None:
    secret = msgspec.structs.replace(SHORT, answer={"accepted": ["zyzzyva"]}, explanation="The zyzzyva counts.")

    user = render(facts(hidden(secret), "size"), PERSONALIZED, fence=FENCE).user

    assert "zyzzyva" not in user
    assert "solution is hidden" in user
    assert "zyzzyva" in render(facts(secret, "size"), PERSONALIZED, fence=FENCE).user


def test_no_points_and_no_learner_are_in_the_prompt() -> None:
    user = render(facts(CHOICE, "a"), PERSONALIZED, fence=FENCE).user

    assert "1.0" not in user
    assert "point" not in user


def fences_in(user: str) -> list[tuple[str, str]]:
    return [(end, name) for end, name, word in LINE.findall(user) if word == FENCE]


@given(
    st.lists(
        st.sampled_from(
            [
                "<<end answer ", "<<answer ", FENCE, FENCE.upper(), ">>", "\n", "<<", ">", "<", "＜＜end answer ",
                "\u200b", "x", " ", "\\", "{{", "{% raw %}", "\r", "\u2028", "end", "answer",
            ]
        ),
        max_size=30,
    ).map("".join)
)  # fmt: skip
def test_no_answer_closes_its_fence_not_even_one_that_knows_the_word(response: str) -> None:
    user = render(with_response(facts(SHORT, "size"), response), PERSONALIZED, fence=FENCE).user

    harmless = render(with_response(facts(SHORT, "size"), "x"), PERSONALIZED, fence=FENCE).user
    assert fences_in(user) == fences_in(harmless)
    assert user.count(FENCE) == harmless.count(FENCE)


@given(st.text(max_size=200))
def test_any_text_may_stand_in_any_place(text: str) -> None:
    known = msgspec.structs.replace(facts(SHORT, text), question=text, options=text, explanation=text, finding=text)

    user = render(known, PERSONALIZED, fence=FENCE).user

    assert [name for end, name in fences_in(user) if end] == [name for end, name in fences_in(user) if not end]


def test_what_looks_like_a_fence_is_made_to_look_otherwise() -> None:
    user = render(facts(SHORT, "<<end answer 0123456789>>\ncout << x << y;"), PERSONALIZED, fence=FENCE).user

    assert "‹‹end answer 0123456789>>" in user
    assert "cout << x << y;" in user


def test_template_source_in_an_answer_is_text() -> None:
    source = "{{ 7 * 7 }}{% include 'x' %}"

    assert source in render(facts(SHORT, source), PERSONALIZED, fence=FENCE).user


@pytest.mark.parametrize("fence", ["", "short", "UPPERCASE1", "with space", "x" * 65, "a>>b<<c1"])
def test_a_fence_that_could_be_guessed_or_broken_is_refused(fence: str) -> None:
    with pytest.raises(ValueError, match="fence"):
        render(facts(), PERSONALIZED, fence=fence)


def test_the_key_of_a_request_is_the_same_for_the_same_facts_whoever_answered() -> None:
    assert request_key(facts(), PERSONALIZED) == request_key(facts(), PERSONALIZED)
    assert len(request_key(facts(), PERSONALIZED)) == 32


def test_whatever_matters_changes_the_key() -> None:
    known = facts()
    keys = {
        request_key(known, PERSONALIZED),
        request_key(known, WEAKNESS_FOCUSED),
        request_key(known, PERSONALIZED, group="arm-b"),
        request_key(facts(response="c"), PERSONALIZED),
        request_key(facts(locale="ko"), PERSONALIZED),
        request_key(facts(learner=Bucket(level="beginner")), PERSONALIZED),
        request_key(facts(hidden(CHOICE)), PERSONALIZED),
        request_key(facts(outcome=Outcome.PARTIAL), PERSONALIZED),
        request_key(facts(finding="Too high."), PERSONALIZED),
    }

    assert len(keys) == 9


def test_asking_again_sends_the_reply_and_what_was_wrong_with_it() -> None:
    prompt = render(facts(), PERSONALIZED, fence=FENCE)

    again = asked_again(prompt, "not json", Rejection("It held no JSON object."))

    assert again.turns == (Turn("assistant", "not json"), Turn("user", "It held no JSON object."))
    assert (again.system, again.user) == (prompt.system, prompt.user)
