import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Outcome
from pipeline.prompting.compose import SHOWN, compose_text, section_text, text_so_far
from pipeline.prompting.reply import Accepted, accept
from pipeline.prompting.section import SECTIONS
from tests.unit.prompting.cases import CHOICE, facts, reply
from tests.unit.prompting.test_reply import accepted

VERDICT = "Not right."


def test_the_verdict_comes_first_then_right_quotation_misconception_and_next_step() -> None:
    made = accepted(reply(right="You began at 2.", quotation="[2, 3, 8]"))

    assert compose_text(VERDICT, made, "en") == (
        "Not right.\n\n"
        "You began at 2.\n\n"
        "You wrote: “[2, 3, 8]”\n\n"
        "The end is not part of a range.\n\n"
        "Next step: Write down the numbers step by step."
    )


def test_what_is_empty_leaves_no_gap() -> None:
    assert compose_text(VERDICT, accepted(reply(next_step="")), "en") == "Not right.\n\nThe end is not part of a range."


@pytest.mark.parametrize(
    ("language", "label"), [("ko", "다음 단계:"), ("ja", "次の一歩："), ("zh", "下一步："), ("zh-Hant", "下一步：")]
)
def test_labels_are_in_the_language_of_the_feedback(language: str, label: str) -> None:
    assert label in compose_text(VERDICT, accepted(reply()), language)


def test_a_language_without_labels_of_ours_gets_none() -> None:
    assert compose_text(VERDICT, accepted(reply()), "de").endswith("\n\nWrite down the numbers step by step.")


def test_a_list_begins_below_its_label() -> None:
    made = accepted(reply(next_step="1. Write down 2.\n2. Add 3."))

    assert compose_text(VERDICT, made, "en").endswith("\n\nNext step:\n\n1. Write down 2.\n2. Add 3.")


PARTS = st.sampled_from(
    [
        "", "You began at 2.", "Your answer is correct!", "10/10", "see https://evil.example", "[2, 3, 8]", "```\nx",
        "# Heading", "- a\n- b", "<b>x</b>", "nonsense that is not there", "The end is left out.",
    ]
)  # fmt: skip


@given(
    st.fixed_dictionaries({section.value: PARTS for section in SECTIONS}),
    st.sampled_from(list(Outcome)),
    st.permutations([section.value for section in SECTIONS]),
)
def test_what_was_shown_while_it_was_written_is_the_text_at_the_end(
    fields: dict[str, str], outcome: Outcome, order: list[str]
) -> None:
    known = facts(CHOICE, "a", outcome)
    finished = [{name: fields[name] for name in order[:count]} for count in range(len(order) + 1)]
    shown = [text_so_far(VERDICT, sections, known) for sections in finished]

    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
    outcome_of_all = accept(json.dumps(fields), known)
    if isinstance(outcome_of_all, Accepted):
        assert shown[-1] == compose_text(VERDICT, outcome_of_all, known.language)
    else:
        assert shown[-1].removeprefix(VERDICT).strip() in {"", "You wrote: “[2, 3, 8]”"}


@given(st.fixed_dictionaries({section.value: PARTS for section in SECTIONS}))
def test_finished_sections_put_together_are_the_text(fields: dict[str, str]) -> None:
    known = facts()
    made = accept(json.dumps(fields), known)
    paragraphs = [section_text(name, fields[name], known, known.language) for name in SHOWN]

    if isinstance(made, Accepted):
        assert compose_text(VERDICT, made, "en") == "\n\n".join([VERDICT, *filter(None, paragraphs)])


def test_the_summary_is_no_part_of_the_text() -> None:
    assert section_text("summary", "Look again.", facts(), "en") is None
    assert section_text("anything", "Look again.", facts(), "en") is None
