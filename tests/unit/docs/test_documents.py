"""What the documents for people say is there: commands, targets, files, layers."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from cli.main import main

REPOSITORY = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(document: Path) -> list[str]:
    return FENCE.findall(document.read_text(encoding="utf-8"))


def commands() -> list[str]:
    """Every line of a document that calls gradeline, without its comment."""
    lines = [line for document in DOCUMENTS for block in blocks(document) for line in block.splitlines()]
    return sorted({line.partition(" #")[0].strip() for line in lines if line.startswith(".venv/bin/gradeline ")})


def targets() -> list[str]:
    said = (document.read_text(encoding="utf-8") for document in DOCUMENTS)
    return sorted({target for text in said for target in re.findall(r"(?:^|`) *make ([a-z]+)", text, re.MULTILINE)})


def parse(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> None:
    """Understand a command line as click would, without running it; raises `click.UsageError`."""
    try:
        context = command.make_context(command.name, list(arguments), parent=parent)
    except click.exceptions.Exit:
        return  # --help
    if isinstance(command, click.Group):
        _, found, rest = command.resolve_command(context, arguments)
        assert found is not None
        parse(found, rest, context)


def test_the_documents_show_commands() -> None:
    assert len(commands()) > 10
    assert {"setup", "demo", "test", "check"} <= set(targets())


@pytest.mark.parametrize("line", commands())
def test_the_command_line_takes_every_command_shown(line: str) -> None:
    parse(main, shlex.split(line)[1:])


@pytest.mark.parametrize("target", targets())
def test_every_make_target_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    places = [place for place in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in place]
    missing = [place for place in places if not exists(document, place)]
    assert missing == []


def exists(document: Path, place: str) -> bool:
    path, _, heading = place.partition("#")
    target = document.parent / path if path else document
    if not target.exists():
        return False
    headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return not heading or heading in {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings}


def test_the_drawing_of_layers_is_what_the_linter_enforces() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawing = text.partition("<!-- layers -->\n```\n")[2].partition("```")[0]
    named = re.findall(r"^[\w.| ]+?(?=  |$)", drawing, re.MULTILINE)
    drawn = [{name for name in re.split(r"[| ]+", line) if name} for line in join_continued(named)]
    assert drawn == enforced()


def join_continued(lines: list[str]) -> list[str]:
    """A layer may take two lines of the drawing; the second then begins with a bar."""
    joined: list[str] = []
    for line in filter(str.strip, lines):
        if line.strip().startswith("|"):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def enforced() -> list[set[str]]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    outer, inner = (contract for contract in project["tool"]["importlinter"]["contracts"] if "layers" in contract)
    doors, pipeline, prompts = (set(layer.split(" | ")) for layer in outer["layers"])
    assert pipeline == {"pipeline"}
    return [doors, *({f"pipeline.{name}" for name in layer.split(" | ")} for layer in inner["layers"]), prompts]
