import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import JsonValue, Outcome
from pipeline.prompting.facts import AnswerFacts
from pipeline.prompting.reply import ANSWER_REPLY, Accepted, AnswerReply, Rejection, accept, read_reply
from pipeline.prompting.section import SECTION_CHARS, SECTIONS, Section
from tests.unit.prompting.cases import CHOICE, ESSAY, SHORT, facts, hidden, reply
from tests.unit.prompting.phrases import GOOD_FEEDBACK, TALKED_ROUND


def accepted(text: str, known: AnswerFacts | None = None) -> Accepted:
    outcome = accept(text, known or facts())
    assert isinstance(outcome, Accepted), outcome
    return outcome


def rejected(text: str, known: AnswerFacts | None = None) -> str:
    outcome = accept(text, known or facts())
    assert isinstance(outcome, Rejection), outcome
    return outcome.problem


def test_a_good_reply_is_accepted_as_it_is() -> None:
    made = accepted(reply(quotation="[2, 3, 8]"))

    assert made.sections == AnswerReply(
        right="",
        quotation="[2, 3, 8]",
        misconception="The end is not part of a range.",
        next_step="Write down the numbers step by step.",
        summary="Look at where a range ends.",
    )
    assert (made.cut_quotations, made.dropped) == (0, {})


def test_the_schema_is_strict_and_in_the_order_in_which_things_are_shown() -> None:
    assert ANSWER_REPLY["additionalProperties"] is False
    assert ANSWER_REPLY["required"] == list(ANSWER_REPLY["properties"]) == [section.value for section in SECTIONS]
    assert list(AnswerReply.__struct_fields__) == ANSWER_REPLY["required"]


@pytest.mark.parametrize(
    "wrapped",
    [
        "```json\nREPLY\n```",
        "```\nREPLY\n```",
        "Here is the feedback:\nREPLY\nI hope it helps.",
        "\ufeffREPLY",
        "  REPLY  ",
        "{not json} REPLY",
        '{"score": 10}\nREPLY',
    ],
)
def test_a_reply_is_found_among_other_words(wrapped: str) -> None:
    assert accepted(wrapped.replace("REPLY", reply())).sections.summary == "Look at where a range ends."


@pytest.mark.parametrize(
    "text",
    [
        "", "no json", "{", "[]", "[1, 2]", "null", "{}", '{"score": 10, "feedback": "full"}', '"text"', "{" * 5000,
        '{"right": 1}' + "[" * 100_000, "x" * 30_000,
        '{"a":' * 3000, "9" * 10_000, '{"right": ' + "9" * 6000 + "}",
    ],
)  # fmt: skip
def test_what_is_no_reply_is_rejected(text: str) -> None:
    assert "Reply" in rejected(text)


@pytest.mark.parametrize("section", [section.value for section in SECTIONS])
@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, True])
def test_a_field_of_another_type_is_named(section: str, value: JsonValue) -> None:
    assert section in rejected(json.dumps({**json.loads(reply()), section: value}))


@pytest.mark.parametrize("section", [section.value for section in SECTIONS])
def test_a_missing_field_is_named(section: str) -> None:
    fields = json.loads(reply())
    del fields[section]

    assert section in rejected(json.dumps(fields))


def test_null_is_an_empty_field_and_unknown_fields_are_not_shown() -> None:
    made = accepted(json.dumps({**json.loads(reply()), "right": None, "points": 10}))

    assert "10" not in msgspec.json.encode(made).decode()


def test_a_reply_that_says_nothing_is_rejected() -> None:
    assert "said nothing" in rejected(reply(misconception="", next_step=" "))


@pytest.mark.parametrize(
    ("quotation", "response"),
    [
        ("the server remembers", "I think the server remembers it."),
        ("The Server  REMEMBERS", "I think the server\nremembers it."),
        ("“server remembers”", "the server remembers"),
        ("key123", "ｋｅｙ１２３"),
        ("서버가 기억", "서버가 기억합니다"),
        ("“[email-1] has it”", "[email-1] has it"),
    ],
)
def test_a_quotation_that_stands_in_the_answer_is_kept(quotation: str, response: str) -> None:
    made = accepted(reply(quotation=quotation), facts(ESSAY, response, Outcome.NEEDS_REVIEW))

    assert made.sections.quotation == quotation.replace("  ", " ")
    assert made.cut_quotations == 0


@pytest.mark.parametrize(
    "quotation", ["the client forgets", "server … remembers", "x", "”", "the server remembers all"]
)
def test_a_quotation_that_does_not_stand_in_the_answer_is_dropped_and_counted(quotation: str) -> None:
    made = accepted(reply(quotation=quotation), facts(ESSAY, "I think the server remembers it.", Outcome.NEEDS_REVIEW))

    assert made.sections.quotation == ""
    assert made.cut_quotations == 1
    assert made.dropped == {"not_quoted": 1}


@pytest.mark.parametrize("outcome", [Outcome.INCORRECT, Outcome.NEEDS_REVIEW])
@pytest.mark.parametrize("section", ["right", "misconception", "next_step", "summary"])
def test_praise_as_right_is_dropped_where_the_rule_says_otherwise(outcome: Outcome, section: str) -> None:
    made = accepted(
        reply(**{**json.loads(reply()), section: "Your answer is correct. Well done!"}), facts(outcome=outcome)
    )

    assert getattr(made.sections, section) == ""
    assert made.dropped == {"praise": 1}


@pytest.mark.parametrize("phrase", TALKED_ROUND)
def test_no_known_way_to_call_a_wrong_answer_right_gets_through(phrase: str) -> None:
    assert accepted(reply(right=phrase)).sections.right == ""


@pytest.mark.parametrize("outcome", [Outcome.CORRECT, Outcome.PARTIAL, Outcome.INCORRECT, Outcome.NEEDS_REVIEW])
@pytest.mark.parametrize(
    ("language", "phrase"), [(tongue, one) for tongue, all_ in GOOD_FEEDBACK.items() for one in all_]
)
def test_good_feedback_gets_through_untouched(language: str, phrase: str, outcome: Outcome) -> None:
    made = accepted(reply(next_step=phrase), facts(SHORT, "x", outcome, locale=language))

    assert made.sections.next_step == phrase


def test_a_partly_right_answer_may_be_called_right_in_part_and_never_in_full() -> None:
    known = facts(CHOICE, "a", Outcome.PARTIAL)

    assert accepted(reply(right="That range starts at 2 is right."), known).sections.right
    assert accepted(reply(right="Your answer is perfect."), known).dropped == {"praise": 1}


def test_a_right_answer_may_be_called_right_and_never_wrong() -> None:
    known = facts(CHOICE, "b", Outcome.CORRECT)

    assert accepted(reply(right="Your answer is correct: 8 is left out.", misconception=""), known).sections.right
    assert accepted(reply(right="Your answer is wrong.", misconception=""), known).dropped == {"contradiction": 1}


@pytest.mark.parametrize("claim", ["Your answer is wrong.", "Your answer is correct."])
def test_what_a_person_is_to_decide_is_called_neither_right_nor_wrong(claim: str) -> None:
    assert accepted(reply(right=claim), facts(ESSAY, "A key.", Outcome.NEEDS_REVIEW)).sections.right == ""


def test_a_right_answer_has_no_misconception() -> None:
    assert accepted(reply(), facts(CHOICE, "b", Outcome.CORRECT)).dropped == {"not_needed": 1}


def test_nothing_is_right_in_what_was_not_answered() -> None:
    made = accepted(reply(right="You saw that the range starts at 2."), facts(CHOICE, None, Outcome.UNANSWERED))

    assert made.sections.right == ""


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize(
    "claim", ["You get 10/10.", "That earns full marks.", "만점입니다.", "満点です。", "得分：10分。"]
)
def test_points_are_never_spoken_of(outcome: Outcome, claim: str) -> None:
    made = accepted(reply(next_step="Try again.", summary=claim), facts(CHOICE, "a", outcome))

    assert made.sections.summary == ""
    assert made.dropped["points"] == 1


def test_a_hidden_solution_is_dropped_and_an_open_one_may_be_told() -> None:
    text = reply(misconception="It is len that counts them.", next_step="Try it with two lists.")

    assert accepted(text, facts(hidden(SHORT), "size")).dropped == {"solution": 1}
    assert accepted(text, facts(SHORT, "size")).sections.misconception


def test_who_found_a_hidden_solution_may_read_of_it() -> None:
    known = facts(hidden(SHORT), "len", Outcome.CORRECT)

    assert accepted(reply(right="`len` asks the list itself.", misconception=""), known).sections.right


def test_what_is_left_after_all_checks_is_rejected_if_it_is_nothing_with_what_was_wrong() -> None:
    problem = rejected(reply(right="Correct!", misconception="See https://evil.example", next_step="10/10"))

    assert "called an answer right" in problem
    assert "addresses" in problem
    assert "points" in problem


def test_a_rejection_quotes_nobody() -> None:
    secret = "zyzzyva"

    assert secret not in rejected(f"{secret} {{", facts(SHORT, secret))
    assert secret not in rejected(reply(misconception=f"https://{secret}.com", next_step=""), facts(SHORT, secret))


@pytest.mark.parametrize("section", [Section.RIGHT, Section.MISCONCEPTION, Section.NEXT_STEP])
def test_a_section_far_too_long_is_dropped(section: Section) -> None:
    text = reply(**{**json.loads(reply()), section.value: "word " * SECTION_CHARS[section]})

    assert accepted(text).dropped == {"too_long": 1}


def test_a_reply_in_a_script_that_was_not_asked_for_is_dropped() -> None:
    made = accepted(reply(right="إجابتك صحيحة تماما"))

    assert made.dropped == {"language": 1}


def test_the_script_of_the_question_may_be_used() -> None:
    question = msgspec.structs.replace(SHORT, prompt="What does the Arabic word إجابة mean?")

    assert accepted(reply(right="You knew that إجابة is a noun; صحيحة is not."), facts(question, "x")).dropped == {}


def test_a_kept_reply_is_accepted_again_in_the_same_way() -> None:
    text = reply(right="10/10", quotation="not there")

    assert accept(text, facts()) == accept(text, facts())


def test_placeholders_of_private_data_stay_as_they_are() -> None:
    made = accepted(
        reply(right="What [name-1] wrote to [email-1] is polite."), facts(ESSAY, "x [email-1]", Outcome.NEEDS_REVIEW)
    )

    assert made.sections.right == "What [name-1] wrote to [email-1] is polite."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.text(max_size=300) | JSON.map(json.dumps), st.sampled_from(list(Outcome)))
def test_no_text_makes_accepting_raise(text: str, outcome: Outcome) -> None:
    assert isinstance(accept(text, facts(outcome=outcome)), Accepted | Rejection)


@given(st.fixed_dictionaries({section.value: JSON for section in SECTIONS}), st.sampled_from(list(Outcome)), st.text())
def test_no_object_makes_accepting_raise(fields: dict[str, JsonValue], outcome: Outcome, response: str) -> None:
    for question in (CHOICE, hidden(SHORT), hidden(ESSAY)):
        assert isinstance(accept(json.dumps(fields), facts(question, response, outcome)), Accepted | Rejection)


def test_reading_alone_checks_only_the_form() -> None:
    assert isinstance(read_reply(reply(right="10/10")), AnswerReply)
