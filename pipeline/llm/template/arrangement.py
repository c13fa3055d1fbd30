"""Remarks on answers that arrange given elements: orders and pairs."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

from pipeline.llm.template.choice import UNREADABLE, label, labels
from pipeline.model import Answer, JsonValue, Question
from pipeline.prompting.plain import ITEM_LIMIT, scalar_text
from pipeline.prompting.wording import Remark


def ordering_details(answer: Answer) -> tuple[Remark, ...]:
    """Which elements to move, as few as possible, and which are not placed at all."""
    question, sequence = answer.question, answer.question.answer["sequence"]
    placed = _placed(answer.response)
    if not placed:
        return (UNREADABLE,)
    kept = _longest_in_order(placed, sequence)
    moved = [element for element in placed if element not in kept]
    missing = [element for element in sequence if element not in placed]
    if question.hide_solution:
        return _hinted(moved=bool(moved), missing=bool(missing))
    return (
        *((Remark("out_of_place", labels(question, moved)),) if moved else ()),
        *((Remark("not_placed", labels(question, missing)),) if missing else ()),
    )


def order_solution(question: Question) -> tuple[Remark, ...]:
    """The right order."""
    return (Remark("order_solution", labels(question, question.answer["sequence"])),)


def matching_details(answer: Answer) -> tuple[Remark, ...]:
    """Which pairs do not fit, and what would; beyond the first few only how many."""
    question, pairs = answer.question, answer.question.answer["pairs"]
    if not isinstance(answer.response, dict):
        return (UNREADABLE,)
    wrong = tuple(_wrong_pairs(answer, answer.response))
    if not wrong:
        return ()
    if question.hide_solution:
        return (Remark("some_pairs_wrong", {"count": len(wrong), "total": len(pairs)}),)
    rest = len(wrong) - ITEM_LIMIT
    return (*wrong[:ITEM_LIMIT], *((Remark("more_pairs", {"count": rest}),) if rest > 0 else ()))


def _placed(response: JsonValue) -> Collection[str]:
    if not isinstance(response, list | tuple):
        return ()
    return dict.fromkeys(element for element in response if isinstance(element, str)).keys()


def _longest_in_order(placed: Collection[str], sequence: Sequence[str]) -> set[str]:
    """A largest set of elements that stand in the right order among themselves: the rest must move.

    Longest increasing subsequence by patience sorting, see Fredman (1975), "On computing the length of
    longest increasing subsequences", https://doi.org/10.1016/0012-365X(75)90103-X.
    """
    rank = {element: place for place, element in enumerate(sequence)}
    tops: list[int] = []
    chains: list[tuple[str, ...]] = []
    for element in filter(rank.__contains__, placed):
        pile = bisect_left(tops, rank[element])
        chain = (*(chains[pile - 1] if pile else ()), element)
        tops[pile : pile + 1] = [rank[element]]
        chains[pile : pile + 1] = [chain]
    return set(chains[-1]) if chains else set()


def _hinted(*, moved: bool, missing: bool) -> tuple[Remark, ...]:
    return (
        *((Remark("some_out_of_place"),) if moved else ()),
        *((Remark("some_not_placed"),) if missing else ()),
    )


def _wrong_pairs(answer: Answer, response: dict[str, JsonValue]) -> Iterator[Remark]:
    question = answer.question
    for left, right in question.answer["pairs"].items():
        given = scalar_text(response.get(left)) or ""
        if given != right:
            facts = {
                "left": label(question, left),
                "answer": label(question, given),
                "right": label(question, right),
            }
            yield Remark("pair", facts)
