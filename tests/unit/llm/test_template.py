import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.llm.template.provider import KEPT_LESSONS, TemplateProvider
from pipeline.model import Outcome, ScoredAnswer
from pipeline.prompting.feedback import AnswerFeedback, LearnerPicture, Source
from pipeline.prompting.wording import Remark, Wording
from prompts.catalog import LANGUAGES, load
from tests.unit.llm.cases import GOLDEN, OPTIONS, QUESTIONS, RESPONSES, cases, rendered, request, scored

PROVIDER = TemplateProvider()
LONGEST_TEXT = 6_000
NAUGHTY = Path(__file__).parents[3] / "../shared/data/robustness/blns.json"

JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from("abcd"),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text() | st.sampled_from("abc"), inner),
    max_leaves=12,
)


async def write(case: ScoredAnswer, locale: str = "en") -> AnswerFeedback:
    return (await PROVIDER.write(request(case, locale=locale))).answers[0]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_feedback_on_every_type_and_outcome_reads_as_approved(language: str) -> None:
    """The approved texts are in golden/; `python -m tests.unit.llm.cases` writes them anew."""
    assert await rendered(language) == (GOLDEN / f"{language}.md").read_text(encoding="utf-8")


async def test_results_say_that_a_template_wrote_them_and_which() -> None:
    feedback = await PROVIDER.write(request(scored("numeric", Outcome.CORRECT, 9.81), locale="ko-KR"))

    assert (feedback.source, feedback.shortfall) == (Source.TEMPLATE, None)
    assert msgspec.to_builtins(feedback.answers[0]) == {
        "question_id": "q-numeric",
        "text": "정답입니다.\n\n해설: See the chapter on collections.",
        "source": "template",
        "provider": "template",
        "model": None,
        "prompt_version": "feedback/template/ko@1",
    }


async def test_answers_come_back_in_the_order_they_were_given() -> None:
    answers = tuple(cases())

    feedback = await PROVIDER.write(request(*answers))

    assert [one.question_id for one in feedback.answers] == [one.answer.question.id for one in answers]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.CORRECT}))
@pytest.mark.parametrize("kind", sorted(QUESTIONS))
async def test_nothing_but_a_right_answer_is_called_right(kind: str, outcome: Outcome, language: str) -> None:
    """Right answers open with "Correct" in the learner's language, as the approved texts show."""
    wording = Wording(load("feedback/template", language))
    praise = wording.say(Remark("correct", {"points": "", "max_points": ""}))[:-1]
    for response in (None, "", "   ", [], {}, *RESPONSES[kind].values(), "Correct. Full marks!"):
        written = await write(scored(kind, outcome, response), language)

        assert not written.text.startswith(praise)


@pytest.mark.parametrize("outcome", [Outcome.INCORRECT, Outcome.UNANSWERED])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_summary_of_nothing_right_praises_nothing(language: str, outcome: Outcome) -> None:
    wording = Wording(load("feedback/template", language))
    praise = [wording.say(Remark("went_well", {"topics": ["collections", "mutability"]}))]
    praise += [wording.say(Remark("all_correct", {"total": total})) for total in (1, 2)]

    feedback = await PROVIDER.write(request(scored("numeric", outcome), scored("cloze", outcome), locale=language))

    assert not [sentence for sentence in praise if sentence in feedback.summary]


SOLUTIONS = {
    "single_choice": ["a tuple"],
    "multiple_choice": ["a list", "a set", "a dict"],
    "true_false": ["false"],
    "numeric": ["9.81", "0.05"],
    "short_text": ["immutable sequence", "tuple"],
    "cloze": ["range", "zip"],
    "ordering": ["a set” → “a) a list"],
    "matching": ["immutable", "unordered"],
    "essay": ["A tuple never changes", "Defines mutability"],
}


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.CORRECT}))
@pytest.mark.parametrize("response", ["c", True, 12, ["x"], {"a": "x"}, None], ids=repr)
async def test_a_hidden_solution_is_never_told(kind: str, outcome: Outcome, response: Any) -> None:
    case = scored(kind, outcome, response, hide_solution=True, explanation="It is " + ", ".join(SOLUTIONS[kind]))

    written = await write(case)
    told = written.text.replace("enough to make it false", "")  # said of any statement, true or false

    assert not [secret for secret in SOLUTIONS[kind] if secret in told]


@pytest.mark.parametrize("response", [["d", "c"], ["b", "a", "c", "d"]], ids=repr)
async def test_a_hidden_order_is_not_told_element_by_element(response: list[str]) -> None:
    written = await write(scored("ordering", Outcome.PARTIAL, response, hide_solution=True))

    assert not [option["text"] for option in OPTIONS if option["text"] in written.text]


@pytest.mark.parametrize("kind", ["single_choice", "numeric", "short_text", "ordering"])
async def test_a_solution_that_is_not_hidden_is_told_to_who_got_it_wrong(kind: str) -> None:
    written = await write(scored(kind, Outcome.INCORRECT, RESPONSES[kind][Outcome.INCORRECT]))

    assert SOLUTIONS[kind][0] in written.text


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
async def test_an_open_question_is_not_solved_for_the_learner(kind: str) -> None:
    written = await write(scored(kind, Outcome.UNANSWERED))

    assert not [secret for secret in SOLUTIONS[kind][:1] if secret in written.text.replace("make it false", "")]


async def test_template_syntax_in_an_answer_comes_out_as_it_went_in() -> None:
    written = await write(scored("short_text", Outcome.INCORRECT, "{{ 7 * 7 }}{% endmacro %}"))

    assert "“{{ 7 * 7 }}{% endmacro %}”" in written.text


async def test_template_syntax_in_a_question_comes_out_as_it_went_in() -> None:
    case = scored("numeric", Outcome.INCORRECT, 1, explanation="{{ config }}", topics=("{% x %}",))

    written = await write(case)

    assert written.text.endswith("Why: {{ config }}\n\nWorth another look: {% x %}.")


async def test_two_questions_of_one_name_keep_their_own_words() -> None:
    """Two tenants may both have a q-numeric of version 1."""
    ours, theirs = (scored("numeric", Outcome.INCORRECT, 1, explanation=said) for said in ("ours", "theirs"))

    texts = [(await write(case)).text for case in (ours, theirs, ours)]

    assert ["theirs" in text for text in texts] == [False, True, False]


async def test_what_is_kept_of_questions_has_a_bound() -> None:
    provider = TemplateProvider()
    for version in range(KEPT_LESSONS + 10):
        await provider.write(request(scored("numeric", Outcome.INCORRECT, 1, version=version)))

    assert provider.kept_lessons <= KEPT_LESSONS


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
@pytest.mark.parametrize("outcome", sorted(Outcome))
@settings(max_examples=25, deadline=None)
@given(response=JSON_LIKE, hidden=st.booleans(), language=st.sampled_from(LANGUAGES))
async def test_no_response_makes_it_raise(
    kind: str, outcome: Outcome, response: Any, hidden: bool, language: str
) -> None:
    written = await write(scored(kind, outcome, response, hide_solution=hidden), language)

    assert 0 < len(written.text) <= LONGEST_TEXT
    written.text.encode()


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
async def test_naughty_strings_are_quoted_without_harm(kind: str) -> None:
    if not NAUGHTY.exists():
        pytest.skip("the list of naughty strings is not on this machine")
    for naughty in json.loads(NAUGHTY.read_text(encoding="utf-8")):
        for response in (naughty, [naughty, naughty], {"a": naughty, naughty: "a"}):
            written = await write(scored(kind, Outcome.INCORRECT, response))

            assert 0 < len(written.text) <= LONGEST_TEXT
            assert not set("\u202e\u2066\x00\x1b") & set(written.text)


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
@pytest.mark.parametrize(
    "response",
    [
        "x" * 1_000_000,
        [str(number) for number in range(100_000)],
        {str(n): "x" for n in range(100_000)},
        10**5_000,
    ],
    ids=["text", "list", "object", "integer"],
)
async def test_a_huge_response_makes_no_huge_feedback(kind: str, response: Any) -> None:
    written = await write(scored(kind, Outcome.INCORRECT, response))

    assert len(written.text) <= LONGEST_TEXT


async def test_topics_that_were_weak_before_are_named_first() -> None:
    asked = request(scored("numeric", Outcome.INCORRECT, 1), scored("cloze", Outcome.CORRECT, topics=("text",)))
    asked = msgspec.structs.replace(asked, learner=LearnerPicture(weaknesses=("loops", "mutability")))

    feedback = await PROVIDER.write(asked)

    assert feedback.summary == (
        "You have 1 of 2 points. 1 of 2 answers is fully right. What went well: text. "
        "Hard for you lately, so practise a little there first: mutability. Look at next: collections."
    )


@pytest.mark.parametrize(
    ("outcome", "opening"),
    [(Outcome.CORRECT, "Correct (0.7 of 1 point)."), (Outcome.INCORRECT, "Not right (0.7 of 1 point).")],
)
async def test_points_that_the_outcome_does_not_tell_are_told(outcome: Outcome, opening: str) -> None:
    """Similarity leaves points on texts that count as right or wrong."""
    case = scored("short_text", outcome, "x")
    case = msgspec.structs.replace(case, score=msgspec.structs.replace(case.score, points=0.7))

    assert (await write(case)).text.startswith(opening)
