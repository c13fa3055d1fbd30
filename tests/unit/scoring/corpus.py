"""Labelled answers of real learners, and how well scores agree with the labels."""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.model import Question
from pipeline.scoring.bank import parse_question


class LabelledAnswer(NamedTuple):
    question: Question
    response: str
    label: dict[str, str]


def labelled_answers(folder: Path) -> Iterator[LabelledAnswer]:
    """Each answer of a corpus in the project's shapes, with its row of labels.csv."""
    questions = {question.id: question for question in map(parse_question, _lines(folder / "questions.ndjson"))}
    answers = [
        (submission["learner_id"], answer["question_id"], answer["response"])
        for submission in _lines(folder / "submissions.ndjson")
        for answer in submission["answers"]
    ]
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as labels:
        for (learner, question_id, response), label in zip(answers, csv.DictReader(labels), strict=True):
            assert (learner, question_id) == (label["learner_id"], label["question_id"])
            yield LabelledAnswer(questions[question_id], response, label)


def auc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The chance that a random positive scores above a random negative, ties counting half.

    By ranks: Mann and Whitney's U over the number of pairs (Hanley and McNeil, 1982).
    """
    positives = sum(labels)
    rank_sum = sum(rank for rank, label in zip(ranks(scores), labels, strict=True) if label)
    return (rank_sum - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Pearson's correlation of the ranks."""
    first, second = ranks(one), ranks(other)
    mean = (len(first) + 1) / 2
    covariance = sum((a - mean) * (b - mean) for a, b in zip(first, second, strict=True))
    return covariance / sqrt(sum((a - mean) ** 2 for a in first) * sum((b - mean) ** 2 for b in second))


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    result = [0.0] * len(values)
    done = 0
    for _, tied in groupby(sorted(range(len(values)), key=values.__getitem__), key=values.__getitem__):
        places = list(tied)
        for place in places:
            result[place] = done + (len(places) + 1) / 2
        done += len(places)
    return result


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
