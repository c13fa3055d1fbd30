import io
from pathlib import Path

import pytest

from cli.ndjson import BadLine, Line, count_lines, opened, read_lines
from pipeline.errors import EnvironmentFault


def lines_of(text: bytes) -> list[Line | BadLine]:
    return list(read_lines(io.BytesIO(text)))


def test_lines_keep_their_numbers_across_blank_ones() -> None:
    assert lines_of(b'{"a":1}\n\n  \r\n{"b":2}') == [Line(1, {"a": 1}), Line(4, {"b": 2})]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert lines_of(b'\xef\xbb\xbf{"a":1}\r\n{"a":2}\r\n') == [Line(1, {"a": 1}), Line(2, {"a": 2})]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b'{"a":', "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_object_is_named_and_the_next_is_read(line: bytes, detail: str) -> None:
    before, bad, after = lines_of(b'{"a":0}\n' + line + b'\n{"a":1}\n')
    assert isinstance(bad, BadLine)
    assert bad.number == 2
    assert detail in bad.detail
    assert (before, after) == (Line(1, {"a": 0}), Line(3, {"a": 1}))


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b'\n[\n{"a":1},\n{"a":2}\n]\n', "is a JSON array"),
        (b'[{"a":1}]', "is a JSON array"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "no text"),
        (b"PK\x03\x04\0\0", "no text"),
        ('{"a":1}'.encode("utf-16"), "no text"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_sentence(content: bytes, detail: str) -> None:
    with pytest.raises(EnvironmentFault, match=detail):
        lines_of(content)


def test_lines_are_counted_without_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "some.ndjson"
    path.write_bytes(b'{"a":1}\n\n{"b":2}')
    assert count_lines(path) == 2


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"^cannot read .*none\.ndjson: No such file or directory$"):
        count_lines(tmp_path / "none.ndjson")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="Is a directory"), opened(tmp_path):
        pytest.fail("it was opened")
