"""The Dockerfile, as far as it can be checked without an engine."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from api.app import create_app
from cli.main import main
from pipeline.settings import PREFIX, Settings, read_settings


class Instruction(NamedTuple):
    keyword: str
    arguments: str


@pytest.fixture(scope="session")
def instructions(repository: Path) -> list[Instruction]:
    text = re.sub(r"^\s*#.*\n", "", (repository / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]


def given(instructions: list[Instruction], keyword: str) -> list[str]:
    return [instruction.arguments for instruction in instructions if instruction.keyword == keyword]


def copied(instructions: list[Instruction]) -> list[str]:
    """Sources taken from the repository."""
    copies = [argument.split() for argument in given(instructions, "COPY")]
    return [source for copy in copies if not copy[0].startswith("--from") for source in copy[:-1]]


def environment(instructions: list[Instruction]) -> dict[str, str]:
    pairs = [pair.partition("=") for argument in given(instructions, "ENV") for pair in argument.split()]
    return {name: value for name, _, value in pairs}


def test_every_copied_path_exists(repository: Path, instructions: list[Instruction]) -> None:
    assert [source for source in copied(instructions) if not (repository / source).exists()] == []


def test_the_build_context_lets_through_what_is_copied_and_nothing_else(
    repository: Path, instructions: list[Instruction]
) -> None:
    rules = [line for line in (repository / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied(instructions))


def test_it_copies_every_package_of_the_product(project: dict[str, Any], instructions: list[Instruction]) -> None:
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= set(copied(instructions))


def test_base_images_are_pinned_by_tag_and_new_enough(instructions: list[Instruction]) -> None:
    images = [argument.split()[0] for argument in given(instructions, "FROM")]
    versions = [re.fullmatch(r"python:3\.(\d+)-slim[\w.-]*", image) for image in images]
    assert [int(version[1]) >= 11 for version in versions if version] == [True, True]


def test_packages_are_installed_from_the_lock_with_hashes(instructions: list[Instruction]) -> None:
    assert any("--require-hashes" in run and "-r requirements.lock" in run for run in given(instructions, "RUN"))


def test_it_runs_as_an_ordinary_user(instructions: list[Instruction]) -> None:
    last_stage = instructions[max(i for i, one in enumerate(instructions) if one.keyword == "FROM") :]
    users = given(last_stage, "USER")
    assert users
    assert users[-1].split(":")[0] not in {"root", "0"}


def test_its_command_is_one_of_ours(project: dict[str, Any], instructions: list[Instruction]) -> None:
    (entry,), command = (json.loads(given(instructions, keyword)[-1]) for keyword in ("ENTRYPOINT", "CMD"))
    assert entry in project["project"]["scripts"]
    root = click.Context(main, **main.context_settings)
    found = main.get_command(root, command[0])
    assert found is not None
    found.make_context(command[0], command[1:], parent=root)


def test_its_environment_holds_settings_and_no_secrets(instructions: list[Instruction]) -> None:
    variables = environment(instructions)
    settings = read_settings({name: value for name, value in variables.items() if name.startswith(PREFIX)})
    assert settings.host == "0.0.0.0"  # noqa: S104 - a container's own network
    assert [name for name in variables if re.search("PASSWORD|SECRET|TOKEN|_KEY|_URL", name)] == []


def test_its_health_check_asks_for_a_path_and_port_that_the_api_serves(instructions: list[Instruction]) -> None:
    asked = re.search(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)", given(instructions, "HEALTHCHECK")[-1])
    assert asked
    assert asked[1] == environment(instructions)["GRADELINE_PORT"] == given(instructions, "EXPOSE")[-1]
    assert asked[2] in {route.path for route in create_app(Settings()).routes}


def test_the_installed_product_holds_every_file_of_its_packages(
    repository: Path, project: dict[str, Any], tmp_path: Path
) -> None:
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", tmp_path, repository], check=True)
    (wheel,) = tmp_path.glob("gradeline-*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = [path for package in packages for path in (repository / package).rglob("*") if path.is_file()]
    needed = [path.relative_to(repository).as_posix() for path in files if "__pycache__" not in path.parts]
    assert {Path(path).suffix for path in needed} >= {".py", ".jinja", ".json"}
    assert [path for path in needed if path not in inside] == []
