"""Pages written from the code are what the code would write now."""

from pathlib import Path

import msgspec
import pytest

from api.errors import PROBLEMS
from docs import cli, errors, settings
from pipeline.settings import Settings, variable_of


@pytest.mark.parametrize(
    ("page", "written"),
    [(settings.PAGE, settings.page), (errors.PAGE, errors.page), (cli.PAGE, cli.page)],
    ids=["settings", "errors", "cli"],
)
def test_the_page_is_current(page: Path, written: object) -> None:
    assert callable(written)
    assert page.read_text(encoding="utf-8") == written(), f"run `python -m docs.{page.stem}`"


def test_every_setting_has_a_row_that_says_what_it_means() -> None:
    rows = {line.split("|")[1].strip(" `"): line.split("|")[3].strip() for line in table(settings.page())}
    for field in msgspec.structs.fields(Settings):
        assert rows[variable_of(field.name)].endswith(".")


def test_every_error_has_a_row_that_says_when() -> None:
    rows = {line.split("|")[2].strip(" `"): line.split("|")[4].strip() for line in table(errors.page(), columns=4)}
    for _, name, _ in PROBLEMS.values():
        assert rows[name].endswith(".")


def table(page: str, columns: int = 3) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| ") and line.count("|") == columns + 1]
