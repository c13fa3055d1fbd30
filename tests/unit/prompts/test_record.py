"""`python -m prompts`, on a record of its own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prompts.__main__ import enter
from prompts.catalog import every, load, recorded


def test_the_committed_record_is_what_the_command_writes(tmp_path: Path) -> None:
    assert enter(every(), recorded(), tmp_path / "versions.json") == 0

    assert json.loads((tmp_path / "versions.json").read_text(encoding="utf-8")) == recorded()


def test_a_text_changed_under_an_old_version_is_named_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meddled = replace(load("feedback/template", "ja"), body="other words")

    assert enter((meddled,), recorded(), tmp_path / "versions.json") == 1

    assert "feedback/template/ja@1" in capsys.readouterr().err
    assert not (tmp_path / "versions.json").exists()
