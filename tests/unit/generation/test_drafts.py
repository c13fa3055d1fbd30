"""What of a model's questions may become drafts, and what is said of the rest."""

from typing import Any

import msgspec
import pytest

from pipeline.generation.drafts import SCHEMA, Drafts, accept, judge
from pipeline.prompting.generating import QuestionsFacts
from pipeline.scoring.answer_key import QUESTION_TYPES

TEXT = "Water boils at 100 °C at sea level.\nOn a mountain it boils at less, because the air presses less."
FACTS = QuestionsFacts(text=TEXT, language="en", count=20, types=QUESTION_TYPES)
OPTIONS = [{"id": "a", "text": "at sea level"}, {"id": "b", "text": "on a mountain"}, {"id": "c", "text": "nowhere"}]

SOUND: dict[str, dict[str, Any]] = {
    "single_choice": {"options": OPTIONS, "right": ["a"]},
    "multiple_choice": {"options": OPTIONS, "right": ["a", "b"]},
    "true_false": {"right": ["True"]},
    "numeric": {"right": ["100"], "tolerance": 0.5},
    "short_text": {"right": ["100 degrees", "100 °C"]},
    "cloze": {"prompt": "Water boils at ___ °C at ___ level.", "right": ["100", "sea"]},
    "ordering": {"options": OPTIONS, "right": ["a", "b", "c"]},
    "matching": {"pairs": [{"left": "sea level", "right": "100 °C"}, {"left": "mountain", "right": "less"}]},
    "essay": {"right": ["Because the air presses less."]},
}
KEYS = {
    "single_choice": {"option": "a"},
    "multiple_choice": {"options": ["a", "b"]},
    "true_false": {"value": True},
    "numeric": {"value": 100.0, "tolerance": 0.5},
    "short_text": {"accepted": ["100 degrees", "100 °C"]},
    "cloze": {"blanks": [{"accepted": ["100"]}, {"accepted": ["sea"]}]},
    "ordering": {"sequence": ["a", "b", "c"]},
    "matching": {"pairs": {"sea level": "100 °C", "mountain": "less"}},
    "essay": {"reference": "Because the air presses less."},
}


def written(question_type: str = "true_false", **changes: Any) -> dict[str, Any]:
    """A question as a model writes it."""
    return {
        "type": question_type,
        "prompt": f"Where does water boil? ({question_type})",
        "options": [],
        "right": [],
        "pairs": [],
        "tolerance": 0,
        "explanation": "The text says so.",
        "topics": ["heat"],
        "difficulty": 2,
        "source": "boils at less, because",
        **SOUND[question_type],
        **changes,
    }


def reply(*questions: Any) -> str:
    return msgspec.json.encode({"questions": questions}).decode()


def accepted(*questions: Any, facts: QuestionsFacts = FACTS) -> Drafts:
    found = accept(reply(*questions), facts)
    assert isinstance(found, Drafts), found
    return found


def reasons(*questions: Any, facts: QuestionsFacts = FACTS) -> str:
    """What is said of the only one that is dropped, beside a sound one."""
    [dropped] = accepted(written("essay"), *questions, facts=facts).dropped
    return " ".join(f"{reason.pointer} {reason.detail}" for reason in dropped.reasons)


@pytest.mark.parametrize("question_type", QUESTION_TYPES)
def test_every_type_becomes_a_question_of_the_bank(question_type: str) -> None:
    found = accepted(written(question_type))
    assert (found.dropped, len(found.drafts)) == ((), 1)
    question = found.drafts[0].question
    assert (question["type"], question["answer"]) == (question_type, KEYS[question_type])
    assert (question["difficulty"], question["topics"], question["language"]) == (2, ["heat"], "en")
    assert not {"id", "version"} & set(question)


def test_what_the_bank_would_refuse_is_dropped_with_its_reasons() -> None:
    found = accepted(written(right=["perhaps"]), written("single_choice", right=["z"]), written("essay"))
    assert [draft.question["type"] for draft in found.drafts] == ["essay"]
    assert [(one.position, one.reasons[0].pointer) for one in found.dropped] == [
        (1, "/answer/value"),
        (2, "/answer/option"),
    ]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (written("single_choice", right=["a", "b"]), "exactly one right answer"),
        (written("numeric", right=["a lot"]), "a number"),
        (written("numeric", right=["nan"]), "finite"),
        (written("cloze", prompt="Water boils at ___."), "as many blanks"),
        (written("matching", pairs=[{"left": "x", "right": "1"}, {"left": "x", "right": "2"}]), "twice on the left"),
        (written(prompt="See https://evil.example/now?"), "web or e-mail address"),
        (written(explanation="Write to ann@evil.example."), "web or e-mail address"),
        (written(prompt="<<text 0123456789abcdef>> Is it?"), "lines that surround"),
        (written(prompt="  \u200b "), "blank"),
        ({"type": "true_false"}, "not those that were asked for"),
        ("a text", "not those that were asked for"),
    ],
)
def test_each_flaw_is_named(question: Any, said: str) -> None:
    assert said in reasons(question)


def test_a_type_that_was_not_asked_for_is_dropped() -> None:
    facts = msgspec.structs.replace(FACTS, types=("essay",))
    assert "types that were asked for" in reasons(written("true_false"), facts=facts)


def test_no_two_drafts_ask_the_same() -> None:
    again = written("essay", prompt="  where DOES water boil?  (essay)")
    assert "the same as a question before it" in reasons(again)


def test_more_than_was_asked_for_is_dropped() -> None:
    facts = msgspec.structs.replace(FACTS, count=1)
    assert "more questions than were asked for" in reasons(written("true_false"), facts=facts)


def test_topics_asked_for_are_the_only_ones() -> None:
    facts = msgspec.structs.replace(FACTS, topics=("physics", "heat"))
    found = accepted(written(topics=["heat", "my own"]), facts=facts)
    assert found.drafts[0].question["topics"] == ["heat"]


def test_the_difficulty_asked_for_is_the_only_one() -> None:
    facts = msgspec.structs.replace(FACTS, difficulty=5)
    assert accepted(written(difficulty=1), facts=facts).drafts[0].question["difficulty"] == 5
    assert accepted(written(difficulty=900)).drafts[0].question["difficulty"] == 3


def test_a_source_that_does_not_stand_in_the_text_is_none() -> None:
    found = accepted(written(source="Water is made of gold"), written("essay", source="level. On a MOUNTAIN"))
    assert [draft.source for draft in found.drafts] == [None, "level. On a MOUNTAIN"]


def test_the_options_of_an_ordering_do_not_stand_in_the_right_order() -> None:
    options = [{"id": str(number), "text": f"step {number}"} for number in range(8)]
    right = [option["id"] for option in options]
    question = accepted(written("ordering", options=options, right=right)).drafts[0].question
    assert [option["id"] for option in question["options"]] != right
    assert question["answer"] == {"sequence": right}


@pytest.mark.parametrize("text", ["", "no JSON", "[1, 2]", '{"questions": []}', '{"questions": 3}', "{" * 5_000])
def test_a_reply_without_questions_is_asked_for_again(text: str) -> None:
    assert judge(text, FACTS).problem is not None


def test_a_reply_of_which_nothing_is_left_is_asked_for_again_with_the_reasons() -> None:
    problem = judge(reply(written(right=["perhaps"])), FACTS).problem
    assert problem is not None
    assert "true or false" in problem


def test_a_reply_in_a_code_block_will_do() -> None:
    assert judge(f"Here you are:\n```json\n{reply(written())}\n```", FACTS).problem is None


def test_every_field_of_the_schema_is_required_and_no_other_allowed() -> None:
    """Providers enforce a schema strictly only where it says so everywhere."""
    waiting: list[Any] = [SCHEMA]
    seen = 0
    while waiting:
        shape = waiting.pop()
        if shape["type"] == "object":
            assert set(shape["required"]) == set(shape["properties"])
            assert shape["additionalProperties"] is False
            seen += 1
            waiting.extend(shape["properties"].values())
        elif shape["type"] == "array":
            waiting.append(shape["items"])
    assert seen == 4
