"""`gradeline review`: list what waits for a person, look at an answer, and settle it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click
import msgspec

from cli.output import counted, harmless, print_json, print_table
from cli.target import Target, client_options, find_target
from pipeline.model import Question
from pipeline.scoring.readable import key_texts, response_text

PAGE: Final = 100
COLUMNS: Final = ("submission", "question", "learner", "assignment", "handed in", "estimate", "most")
NEEDS_REVIEW: Final = "needs_review"


@click.group()
def review() -> None:
    """List, show and settle answers that wait for a person.

    No rule can judge an essay, and of some texts the rules are not sure. All of it needs a teacher's key.

    \b
    Example:
      gradeline review list
    """


@review.command("list")
@click.option("--learner", "learner_id", help="Only of this learner.")
@click.option("--assignment", "assignment_id", help="Only of this assignment.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most to show, oldest first.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@client_options
def list_(
    learner_id: str | None,
    assignment_id: str | None,
    limit: int,
    as_json: bool,
    url: str | None,
    api_key: str | None,
    home: Path | None,
) -> None:
    """List the answers that wait, with the points that the rules guess, the oldest first.

    \b
    Example:
      gradeline review list --assignment hw-3
    """
    given = {"learner_id": learner_id, "assignment_id": assignment_id}
    wanted = {name: value for name, value in given.items() if value is not None}
    found, more = asyncio.run(fetch(find_target(url, api_key, home), wanted, limit))
    if as_json:
        print_json(found)
        return
    if found:
        print_table(COLUMNS, [row(one) for one in found])
    else:
        click.echo("nothing waits for a person", err=True)
    if more:
        click.echo(f"and more; see them with --limit {10 * limit}", err=True)


@review.command()
@click.argument("submission_id")
@click.argument("question_id")
@click.option("--json", "as_json", is_flag=True, help="Print the answer, its question and the key as one JSON object.")
@client_options
def show(
    submission_id: str, question_id: str, as_json: bool, url: str | None, api_key: str | None, home: Path | None
) -> None:
    """Show one answer with its question, the key, and what it scores.

    \b
    Example:
      gradeline review show 01890a5d-ac96-774b-bcce-b302099a8057 py-why
    """
    answer = asyncio.run(read(find_target(url, api_key, home), path_of(submission_id, question_id)))
    if as_json:
        print_json(answer)
    else:
        click.echo("\n".join(lines_of(answer)))


@review.command()
@click.argument("submission_id")
@click.argument("question_id")
@click.option("--points", type=click.FloatRange(0), help="What it is worth, in points of the question.")
@click.option("--fraction", type=click.FloatRange(0, 1), help="What it is worth, as a share of these points.")
@click.option("--comment", help="A word to the learner.")
@click.option("--replace", is_flag=True, help="Replace the decision that holds; without it, that is refused.")
@click.option("--json", "as_json", is_flag=True, help="Print the submission as it is now.")
@client_options
def settle(
    submission_id: str,
    question_id: str,
    *,
    points: float | None,
    fraction: float | None,
    comment: str | None,
    replace: bool,
    as_json: bool,
    url: str | None,
    api_key: str | None,
    home: Path | None,
) -> None:
    """Decide what an answer is worth.

    Skills learn from the first decision; one that replaces it changes the score alone. The same again
    changes nothing.

    \b
    Example:
      gradeline review settle 01890a5d-ac96-774b-bcce-b302099a8057 py-why --points 3.5
    """
    if (points is None) is (fraction is None):
        raise click.UsageError("give either --points or --fraction")
    given = {"points": points, "fraction": fraction, "comment": comment}
    decision = given if replace else {**given, "replaces": None}
    path = f"{path_of(submission_id, question_id)}/settlement"
    settled = asyncio.run(decide(find_target(url, api_key, home), path, decision))
    if as_json:
        print_json(settled)
    else:
        click.echo(outcome(settled["score"], question_id))


def path_of(submission_id: str, question_id: str) -> str:
    """Where an answer is."""
    return f"/v1/submissions/{quote(submission_id, safe='')}/answers/{quote(question_id, safe='')}"


async def read(target: Target, path: str) -> Any:
    from cli.client import connected

    async with connected(target) as client:
        return await client.get(path)


async def decide(target: Target, path: str, decision: Mapping[str, Any]) -> Any:
    from cli.client import connected

    async with connected(target) as client:
        return await client.put(path, decision)


async def fetch(target: Target, wanted: Mapping[str, str], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """At most `limit` answers that wait, and whether there are more."""
    from cli.client import connected

    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    async with connected(target) as client:
        while len(found) <= limit:
            page = await client.get("/v1/submissions", needs_review="true", **wanted, **cursor, limit=PAGE)
            found += [one for submission in page["items"] for one in waiting_in(submission)]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
    return found[:limit], len(found) > limit


def waiting_in(submission: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The answers of a submission that wait."""
    for answer in submission["score"]["answers"]:
        if answer["outcome"] == NEEDS_REVIEW:
            yield {
                "submission_id": submission["id"],
                "question_id": answer["question_id"],
                "learner_id": submission["learner_id"],
                "assignment_id": submission["assignment_id"],
                "handed_in_at": submission["submitted_at"] or submission["created_at"],
                "estimate": answer["points"],
                "max_points": answer["max_points"],
            }


def row(one: Mapping[str, Any]) -> Sequence[str]:
    return [
        one["submission_id"],
        one["question_id"],
        one["learner_id"],
        one["assignment_id"] or "",
        moment(one["handed_in_at"]),
        "" if one["estimate"] is None else f"{one['estimate']:g}",
        f"{one['max_points']:g}",
    ]


def moment(at: str) -> str:
    return at[:19].replace("T", " ")


def lines_of(answer: Mapping[str, Any]) -> Iterator[str]:
    """An answer for people; what others wrote stands indented, so that none of it passes for ours."""
    question, score = answer["question"], answer["score"]
    facts = {
        "submission": answer["submission_id"],
        "learner": answer["learner_id"],
        "assignment": answer["assignment_id"] or "",
        "handed in": moment(answer["handed_in_at"]),
        "question": f"{question['id']}, {question['type']}, version {question['version']}",
        **(score_facts(score) if score else {"score": "not scored yet"}),
    }
    for name, value in facts.items():
        yield f"{name:<11} {harmless(value, in_line=True)}".rstrip()
    texts = {
        "question": question["prompt"],
        "answer": response_text(answer["response"]),
        **key_texts(msgspec.convert(question, Question)),
    }
    if score and "settled" in score and score["settled"]["comment"]:
        texts["comment"] = score["settled"]["comment"]
    for name, written in texts.items():
        yield f"\n{name}:"
        yield from (f"  {line}" for line in harmless(written).split("\n"))


def score_facts(score: Mapping[str, Any]) -> dict[str, str]:
    """What an answer scores: as somebody decided, as the rules were sure, or as they guess."""
    most = f"{score['max_points']:g}"
    points = "none" if score["points"] is None else f"{score['points']:g} of {most}"
    if settled := score.get("settled"):
        return {"settled": f"{points} by {settled['by']} at {moment(settled['at'])}"}
    if score["outcome"] != NEEDS_REVIEW:
        return {"score": f"{points}, {score['outcome']} by {score['rule']}"}
    return {"most": most, "estimate": f"{points} by {score['rule']}"}


def outcome(score: Mapping[str, Any], question_id: str) -> str:
    """What a decision came to."""
    [answer] = [one for one in score["answers"] if one["question_id"] == question_id]
    waiting = sum(one["outcome"] == NEEDS_REVIEW for one in score["answers"])
    rest = f"; {counted(waiting, 'answer')} of this submission still to settle" if waiting else ""
    return (
        f"{answer['outcome']}, {answer['points']:g} of {answer['max_points']:g} points;"
        f" the submission has {score['points']:g} of {score['max_points']:g}{rest}"
    )
