"""`gradeline evaluate scoring`: how far the scoring rules agree with people."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean, quantiles
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from cli.output import print_json
from pipeline.errors import EnvironmentFault

if TYPE_CHECKING:
    from cli.labels import Labelled
    from pipeline.model import Question
    from pipeline.scoring.agreement import Agreement, Judged, Tuned

SHOWN_REMARKS: Final = 20
CORPORA: Final = ("prefix", "language", "module", "type", "all")
HUNDREDTHS: Final = 100


class Timed(NamedTuple):
    """The judged answers by corpus, and how long each took to score, in milliseconds of CPU."""

    corpora: "Mapping[str, list[Judged]]"
    milliseconds: list[float]


@click.command()
@click.argument("questions", type=click.Path(path_type=Path))
@click.argument("submissions", type=click.Path(path_type=Path))
@click.argument("labels", type=click.Path(path_type=Path))
@click.option("--label", "column", help="Which column of LABELS tells whether an answer is right.")
@click.option("--right-from", type=float, help="Labels are marks; right from this one on.")
@click.option("--per", type=click.Choice(CORPORA), default="prefix", show_default=True, help="What a corpus is.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def scoring(
    questions: Path,
    submissions: Path,
    labels: Path,
    column: str | None,
    right_from: float | None,
    per: str,
    as_json: bool,
) -> None:
    """Score labelled answers by our rules and tell how far they agree with people.

    QUESTIONS and SUBMISSIONS are NDJSON as for `import` and `submit`; LABELS is a CSV with learner_id,
    question_id, if known assignment_id, and a label (correct, incorrect, 1, 0 …). Nothing is learnt from the
    labels: `at best` chooses a threshold for a fifth of the questions by the other four. `--per prefix` takes
    what stands before the first hyphen of a question's id for its corpus. Nothing is sent anywhere.

    Docs: docs/questions.md.

    \b
    Example:
      gradeline evaluate scoring questions.ndjson submissions.ndjson labels.csv
    """
    from cli.labels import Reader
    from pipeline.scoring.agreement import agreement_of

    reader = Reader(questions, submissions, labels)
    timed = judge(reader.answers(column, right_from), per)
    figures = {name: agreement_of(judged) for name, judged in sorted(timed.corpora.items())}
    if not figures:
        for remark in reader.remarks[:SHOWN_REMARKS]:
            click.echo(remark, err=True)
        raise EnvironmentFault("no labelled answer was found")
    spent = times_of(timed.milliseconds)
    if as_json:
        remarks = reader.remarks[:SHOWN_REMARKS]
        print_json({"corpora": figures, "milliseconds": spent, "left_out": reader.left_out, "remarks": remarks})
    else:
        show(figures, spent, reader.remarks)


def judge(answers: "Iterable[Labelled]", per: str) -> Timed:
    """Score the answers, each by the rule of its question; those that no rule can estimate are left out."""
    from pipeline.scoring.agreement import Judged, token_dice
    from pipeline.scoring.rule import score

    corpora: dict[str, list[Judged]] = defaultdict(list)
    milliseconds = []
    for question, response, right in answers:
        begun = time.thread_time()
        found = score(question, response)
        milliseconds.append((time.thread_time() - begun) * 1_000)
        if found.fraction is None:
            continue
        references = question.answer.get("accepted") or ()
        dice = token_dice(response, references) if isinstance(response, str) else float(found.fraction >= 1)
        corpora[corpus_of(question, per)].append(
            Judged(question.id, right, found.fraction, found.outcome, threshold_of(question), dice)
        )
    return Timed(corpora, milliseconds)


def threshold_of(question: "Question") -> float:
    """From which fraction on an answer to the question is right."""
    from pipeline.scoring.writing import DEFAULT_THRESHOLD

    if question.answer.get("match") != "similar":
        return 1.0
    named = question.answer.get("threshold")
    return DEFAULT_THRESHOLD if named is None else float(named)


def corpus_of(question: "Question", per: str) -> str:
    """The corpus a question belongs to."""
    if per == "all":
        return "all"
    return question.id.partition("-")[0] if per == "prefix" else str(getattr(question, per) or "none")


def times_of(milliseconds: list[float]) -> dict[str, float]:
    """Mean, 99th percentile and longest; the same of one answer alone."""
    p99 = quantiles(milliseconds, n=HUNDREDTHS, method="inclusive")[-1] if len(milliseconds) > 1 else milliseconds[0]
    return {"mean": fmean(milliseconds), "p99": p99, "longest": max(milliseconds)}


def show(figures: "Mapping[str, Agreement]", spent: Mapping[str, float], remarks: list[str]) -> None:
    """The figures for people."""
    for remark in remarks[:SHOWN_REMARKS]:
        click.echo(remark, err=True)
    if len(remarks) > SHOWN_REMARKS:
        click.echo(f"and {len(remarks) - SHOWN_REMARKS} more", err=True)
    for name, one in figures.items():
        click.echo(f"{name}: {one.answers} answers to {one.questions} questions, {one.right:.0%} right")
        click.echo(f"{'':<24}{'AUC':>7}{'accuracy':>10}{'macro-F1':>10}{'threshold':>11}")
        click.echo(row("the rules as they are", one.auc, one.accuracy, one.macro_f1, None))
        click.echo(tuned_row("at best, unseen", one.tuned))
        click.echo(tuned_row("token Dice, unseen", one.baseline))
        covered = "-" if one.covered_accuracy is None else f"{one.covered_accuracy:.3f}"
        click.echo(f"{'not sent to review':<24}{one.coverage:>7.3f} of the answers, accuracy {covered}\n")
    click.echo(
        f"a score took {spent['mean']:.3f} ms, p99 {spent['p99']:.3f} ms, at most {spent['longest']:.3f} ms of CPU"
    )


def tuned_row(name: str, one: "Tuned") -> str:
    """One line of the table, with the threshold."""
    return row(name, one.auc, one.accuracy, one.macro_f1, one.threshold)


def row(name: str, auc: float | None, accuracy: float, macro_f1: float, threshold: float | None) -> str:
    """One line of the table."""
    cells: list[Any] = ["-" if auc is None else f"{auc:.3f}", f"{accuracy:.3f}", f"{macro_f1:.3f}"]
    cells.append("" if threshold is None else f"{threshold:.2f}")
    return f"{name:<24}{cells[0]:>7}{cells[1]:>10}{cells[2]:>10}{cells[3]:>11}".rstrip()
