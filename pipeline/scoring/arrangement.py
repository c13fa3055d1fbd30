"""Rules for answers that are arranged: ordering and matching."""

from bisect import bisect_left
from collections.abc import Sequence

from pipeline.model import JsonValue, Question
from pipeline.scoring.judgement import Verdict, graded


def score_ordering(question: Question, response: JsonValue) -> Verdict:
    """1 - moves / (n - 1), where moves is how many items must be taken out and put elsewhere (or in).

    That is Ulam's distance (n minus the longest increasing subsequence of the places), over its
    maximum: the exact sequence gives 1, the reversed one 0, and one item out of place costs one move
    however far it strayed, where counting hits by position would fail every item behind it. Items left
    out count as moves. Source: Ulam, "Some ideas and prospects in biomathematics", 1972.
    """
    sequence: Sequence[str] = question.answer["sequence"]
    place = {item: index for index, item in enumerate(sequence)}
    in_order = longest_increasing([place[item] for item in response])
    fraction = max(0, in_order - 1) / (len(sequence) - 1)
    return graded(fraction)


def longest_increasing(places: Sequence[int]) -> int:
    """Length of the longest strictly increasing subsequence, by patience sorting in O(n log n)."""
    tails: list[int] = []
    for place in places:
        position = bisect_left(tails, place)
        tails[position : position + 1] = [place]
    return len(tails)


def score_matching(question: Question, response: JsonValue) -> Verdict:
    """Share of the key's pairs that are right; a pair left open is a wrong one, and none is deducted."""
    pairs = question.answer["pairs"]
    hits = sum(response.get(left) == right for left, right in pairs.items())
    return graded(hits / len(pairs))
