"""`gradeline evaluate`: how well our models predict, measured on logs."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.evaluate_scoring import scoring
from cli.ndjson import BadLine, opened
from cli.output import print_json
from pipeline.errors import EnvironmentFault

if TYPE_CHECKING:
    from cli.answer_log import Doubt
    from pipeline.learning.evaluation import Bin, Measures
    from pipeline.learning.replay import LoggedAnswer, Predictor

COLUMNS: Final = (
    *("user", "item", "step", "skill", "correct", "time", "choices", "difficulty"),
    *("response_time_ms", "characters", "order"),
)
SHOWN_REMARKS: Final = 20
BAR: Final = 40


class Remarks:
    """What was said about lines: how many were left out or doubted, and the first remarks of all."""

    def __init__(self) -> None:
        self.left_out = 0
        self.doubted = 0
        self.first: list[BadLine | Doubt] = []

    def answers(self, lines: "Iterable[LoggedAnswer | BadLine | Doubt]") -> "Iterator[LoggedAnswer]":
        """The answers alone."""
        for line in lines:
            if not isinstance(line, tuple):
                yield line
                continue
            self.left_out += isinstance(line, BadLine)
            self.doubted += not isinstance(line, BadLine)
            if len(self.first) < SHOWN_REMARKS:
                self.first.append(line)

    def show(self) -> None:
        """The first of them on stderr, and how many more there are."""
        for line in self.first:
            click.echo(f"line {line.number}: {line.detail}", err=True)
        if more := self.left_out + self.doubted - len(self.first):
            click.echo(f"and {more} more", err=True)


@click.group()
def evaluate() -> None:
    """Measure how well our models predict and our rules score.

    \b
    Example:
      gradeline evaluate synthesize log.csv --truth items.csv
      gradeline evaluate skills log.csv --truth items.csv
      gradeline evaluate scoring questions.ndjson submissions.ndjson labels.csv
    """


evaluate.add_command(scoring)


@evaluate.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--column", "named", multiple=True, metavar="COLUMN=HEADER", help="Which header a column has.")
@click.option("--truth", type=click.Path(path_type=Path), help="Items' true difficulties, from `synthesize`.")
@click.option("--chart", type=click.Path(path_type=Path), help="Write the calibration as SVG.")
@click.option("--json", "as_json", is_flag=True, help="Print the measures as one JSON object.")
def skills(file: Path, named: tuple[str, ...], truth: Path | None, chart: Path | None, as_json: bool) -> None:
    """Replay a log and measure how well each answer was predicted before it was seen.

    FILE is a CSV with a header line (`-`: standard input): user, item, correct (0 or 1) and, where known,
    skill (several with ; or ~~ between), time (ISO 8601 or seconds), choices (options of the item),
    difficulty (1 to 5), response_time_ms and characters (of the item). Columns are also known by the names
    of public logs, such as student_id, problem_id and skill_name; --column item=Step names others. Answers
    are taken in the file's order, once, so memory grows with learners and items, not with lines. Lines that
    are no answers are named and left out; what cannot be read of the rest is taken for unknown.

    --column order=order_id takes answers in the order of a column, numbers or times, and brings together the
    lines of one place, learner, item and outcome: one answer, told once for each skill. All are held then.

    Beside our ratings stand baselines computed from the same log: always the mean so far, the mean of the
    item so far, and plain Elo without skills. Docs: docs/learning.md.

    \b
    Example:
      gradeline evaluate skills assistments.csv --column item=problem_id
    """
    from cli.answer_log import read_log
    from cli.answer_order import Backwards
    from pipeline.learning.replay import OWN, predictors, replay

    remarks, headers, models, backwards = Remarks(), columns_named(named), predictors(), Backwards()
    difficulties = None if truth is None else read_truth(truth)
    with opened(file) as raw, TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="") as lines:
        tallies = replay(backwards.watch(remarks.answers(read_log(lines, headers))), models)
    if not tallies[OWN].answers:
        remarks.show()
        raise EnvironmentFault(f"{file} has no answers")
    measures = {name: tally.measures() for name, tally in tallies.items()}
    if chart is not None:
        write_chart(chart, measures[OWN].calibration)
    ranked = None if difficulties is None else rank_correlations(models, difficulties)
    if as_json:
        print_json({**document(measures, remarks), "backwards": backwards.answers, "rank_correlation": ranked})
    else:
        remarks.show()
        show_backwards(backwards.answers)
        show(measures, remarks)
        show_ranked(ranked or {})


def read_truth(file: Path) -> dict[str, float]:
    """True difficulties by item; raises `EnvironmentFault` for a file that has none."""
    with opened(file) as raw, TextIOWrapper(raw, "utf-8-sig", newline="") as lines:
        try:
            return {row["item"]: float(row["difficulty"]) for row in csv.DictReader(lines)}
        except (KeyError, TypeError, ValueError):
            raise EnvironmentFault(f"{file} is no CSV with the columns item and difficulty (a number)") from None


def rank_correlations(models: "Mapping[str, Predictor]", truth: Mapping[str, float]) -> dict[str, float | None]:
    """Spearman's ρ of learnt and true difficulties, for each model that rates items; None with less than two."""
    from pipeline.learning.evaluation import rank_correlation
    from pipeline.learning.replay import Ratings

    found: dict[str, float | None] = {}
    for name, model in models.items():
        if isinstance(model, Ratings):
            both = [(truth[item], rated.rating) for item, rated in model.items.items() if item in truth]
            varied = len({true for true, _ in both}) > 1 and len({learnt for _, learnt in both}) > 1
            found[name] = rank_correlation(*zip(*both, strict=True)) if varied else None
    return found


def show_ranked(ranked: Mapping[str, float | None]) -> None:
    """How well each model ranks the items, for people."""
    for name, one in ranked.items():
        value = "unknown" if one is None else f"{one:.4f}"
        click.echo(f"{name}: rank correlation of learnt and true difficulties {value}")


def show_backwards(answers: int) -> None:
    """On stderr, how many answers come after later ones of the same learner, and what to do."""
    if answers:
        click.echo(
            f"{answers} answers come after later ones of the same learner; --column order=HEADER sorts", err=True
        )


def document(measures: "Mapping[str, Measures]", remarks: Remarks) -> dict[str, Any]:
    """All of it for scripts; `models` is by name, ours the first."""
    return {
        "answers": next(iter(measures.values())).answers,
        "left_out": remarks.left_out,
        "doubted": remarks.doubted,
        "models": measures,
        "remarks": [line._asdict() for line in remarks.first],
    }


def columns_named(pairs: Iterable[str]) -> dict[str, str]:
    """`--column` as a table; a column we don't know is wrong usage."""
    named = {}
    for pair in pairs:
        column, equals, header = pair.partition("=")
        if column not in COLUMNS or not equals or not header:
            raise click.BadParameter(f"{pair!r}: write COLUMN=HEADER with one of {', '.join(COLUMNS)}")
        named[column] = header
    return named


def show(measures: "Mapping[str, Measures]", remarks: Remarks) -> None:
    """The table of models and our calibration, for people."""
    from pipeline.learning.replay import OWN

    click.echo(f"{measures[OWN].answers} answers, {remarks.left_out} lines left out\n")
    click.echo(f"{'model':<12}{'AUC':>8}{'log loss':>10}{'RMSE':>8}{'calibration error':>19}")
    for name, one in measures.items():
        auc = "-" if one.auc is None else f"{one.auc:.4f}"
        click.echo(f"{name:<12}{auc:>8}{one.log_loss:>10.4f}{one.rmse:>8.4f}{one.calibration_error:>19.4f}")
    click.echo(f"\nCalibration of {OWN}: = observed, | where predicted")
    for row in measures[OWN].calibration:
        click.echo(calibration_line(row))


def calibration_line(row: "Bin") -> str:
    """One bin as text: a bar as long as the observed share, a mark where the prediction was."""
    scale = f"{row.low:.1f}-{row.high:.1f}"
    if row.predicted is None or row.observed is None:
        return f"{scale}  {'':{BAR + 1}}  no answers"
    bar = list(("=" * round(row.observed * BAR)).ljust(BAR + 1))
    bar[round(row.predicted * BAR)] = "|"
    return (
        f"{scale}  {''.join(bar)}  predicted {row.predicted:.3f}  observed {row.observed:.3f}  {row.answers:>8} answers"
    )


def write_chart(file: Path, calibration: "Iterable[Bin]") -> None:
    """Write the calibration as SVG; raises `EnvironmentFault` where the file cannot be written."""
    from cli.calibration_chart import calibration_chart

    try:
        file.write_text(calibration_chart(calibration), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"cannot write {file}: {error.strerror}") from None


@evaluate.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--learners", type=click.IntRange(1), default=1_000, show_default=True)
@click.option("--items", type=click.IntRange(1), default=100, show_default=True)
@click.option("--topics", type=click.IntRange(1), default=5, show_default=True)
@click.option("--answers", type=click.IntRange(1), help="Items that each learner answers.  [default: all]")
@click.option("--same-order", is_flag=True, help="All learners meet the items in the same order.")
@click.option(
    "--hurried", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Share of learners who rush."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--truth", type=click.Path(path_type=Path), help="Write the items' true difficulties, in logits.")
def synthesize(file: Path, truth: Path | None, **options: Any) -> None:
    """Make up a log whose truth is known: learners who learn and forget, known difficulties, guessing.

    FILE is written as CSV, one line for each answer, in an order that `evaluate skills` reads.
    The same options give the same file. Formula and figures: pipeline/learning/synthesis.py.

    \b
    Example:
      gradeline evaluate synthesize log.csv --learners 2000 --same-order --truth items.csv
    """
    from pipeline.learning.synthesis import Plan, synthesize, true_items

    plan = Plan(**options)
    write_csv(
        file,
        ("user", "item", "skill", "correct", "time", "choices", "response_time_ms", "characters"),
        map(row_of, synthesize(plan)),
    )
    if truth is not None:
        items = true_items(plan)
        write_csv(truth, ("item", "skill", "difficulty"), ((one.id, one.topic, one.difficulty) for one in items))


def row_of(answer: "LoggedAnswer") -> tuple[object, ...]:
    """A made-up answer as a line of the log."""
    return (
        *(answer.user, answer.item, ";".join(answer.skills), int(answer.correct), answer.at.isoformat()),
        *(answer.choices, answer.response_time_ms, answer.characters),
    )


def write_csv(file: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV; raises `EnvironmentFault` where the file cannot be written."""
    try:
        with click.open_file(str(file), "w", encoding="utf-8") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {file}: {error.strerror}") from None
