"""`gradeline questions`: look into the question bank."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from cli.output import print_json, print_table
from cli.target import Target, client_options, find_target

COLUMNS: Final = ("id", "type", "difficulty", "topics", "prompt")
PROMPT_CHARS: Final = 70
MOST_IN_PAGE: Final = 200


@click.command()
@click.argument("words", nargs=-1)
@click.option("--type", "type_", metavar="TYPE", help="Only of this type, such as single_choice.")
@click.option("--topic", help="Only with this topic.")
@click.option("--difficulty", metavar="N[-M]", help="Only of this difficulty, or from N to M.")
@click.option("--module", help="Only of this module.")
@click.option("--language", help="Only in this language.")
@click.option("--industry", help="Only for this industry.")
@click.option("--tag", help="Only with this tag.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Most questions to print.")
@click.option("--json", "as_json", is_flag=True, help="Print the questions as a JSON array, answer keys included.")
@client_options
def questions(
    words: tuple[str, ...],
    difficulty: str | None,
    limit: int,
    as_json: bool,
    url: str | None,
    api_key: str | None,
    home: Path | None,
    **filters: str | None,
) -> None:
    """Search the question bank.

    Prints the questions that have all WORDS in their prompt, options, tags, topics or id, also inside
    other words, those with the whole phrase in the prompt first; without WORDS, all that fit the
    options. Needs a teacher's key.

    \b
    Example:
      gradeline questions binary search --difficulty 3-5
      gradeline questions 자료구조 --language ko
    """
    wanted = {name.rstrip("_"): value for name, value in filters.items() if value is not None}
    wanted |= {} if difficulty is None else levels(difficulty)
    if words:
        wanted["q"] = " ".join(words)
    found, more = asyncio.run(fetch(find_target(url, api_key, home), wanted, limit))
    if as_json:
        print_json(found)
        return
    if found:
        print_table(COLUMNS, [row(one) for one in found])
    else:
        click.echo("no question fits", err=True)
    if more:
        click.echo(f"and more; see them with --limit {10 * limit}", err=True)


def levels(text: str) -> dict[str, str]:
    """`3` or `2-4` as parameters; the server checks the numbers."""
    low, dash, high = text.partition("-")
    return {"difficulty_min": low, "difficulty_max": high} if dash else {"difficulty": low}


async def fetch(target: Target, wanted: Mapping[str, str], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """At most `limit` questions, and whether there are more."""
    from cli.client import connected

    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    async with connected(target) as client:
        while True:
            most = min(MOST_IN_PAGE, limit - len(found))
            page = await client.get("/v1/questions", **wanted, **cursor, limit=most)
            found += page["items"]
            if page["next"] is None or len(found) >= limit:
                return found, page["next"] is not None
            cursor = {"cursor": page["next"]}


def row(question: Mapping[str, Any]) -> tuple[object, ...]:
    prompt = " ".join(question["prompt"].split())
    shown = prompt if len(prompt) <= PROMPT_CHARS else prompt[: PROMPT_CHARS - 1] + "…"
    return question["id"], question["type"], question["difficulty"], ", ".join(question["topics"]), shown
