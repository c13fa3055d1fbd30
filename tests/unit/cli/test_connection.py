from pathlib import Path

import pytest

from cli.connection import (
    Connection,
    Keys,
    read_connection,
    read_keys,
    remove_connection,
    write_connection,
    write_keys,
)
from pipeline.errors import EnvironmentFault

CONNECTION = Connection(
    url="http://127.0.0.1:1",
    api_key="a",
    operator_key="o",
    database_url="postgresql://",
    redis_url="redis://",
    pids={"api": 1},
)


def test_what_is_written_can_be_read_and_removed(tmp_path: Path) -> None:
    write_connection(tmp_path, CONNECTION)
    assert read_connection(tmp_path) == CONNECTION
    remove_connection(tmp_path)
    assert read_connection(tmp_path) is None
    remove_connection(tmp_path)


def test_only_the_owner_may_read_keys_whatever_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "keys.json").touch(mode=0o644)
    write_keys(tmp_path, Keys("a", "o"))
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    assert read_keys(tmp_path) == Keys("a", "o")


@pytest.mark.parametrize("text", ["", "{", "{}", '{"api_key": 1, "operator_key": "o"}'])
def test_a_damaged_file_is_named_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(EnvironmentFault, match=r"keys\.json is damaged") as caught:
        read_keys(tmp_path)
    assert "\n" not in str(caught.value)
