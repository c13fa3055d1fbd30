"""Server-sent events, however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.llm.events import EventReader

STREAM = b': hello\r\nevent: delta\r\ndata: {"a": 1}\r\n\r\ndata: one\rdata:two\r\rid: 7\n\ndata: \xc3\xa4\n\n'
EVENTS = [b'{"a": 1}', b"one\ntwo", "ä".encode()]


def read(chunks: list[bytes]) -> list[bytes]:
    reader = EventReader()
    return [*(event for chunk in chunks for event in reader.feed(chunk)), *reader.end()]


def test_an_event_is_its_lines_of_data_whatever_ends_a_line() -> None:
    assert read([STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_reads_the_same_however_it_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    assert read([STREAM[start:end] for start, end in pairwise(places)]) == EVENTS


@pytest.mark.parametrize("ending", [b"\r\r", b"\n\n", b"\r\n\r\n"])
def test_the_last_event_is_read_though_nothing_follows_it(ending: bytes) -> None:
    assert read([b"data: last" + ending]) == [b"last"]


def test_what_is_cut_off_in_the_middle_is_no_event() -> None:
    assert read([b"data: whole\n\ndata: half"]) == [b"whole"]
    assert read([b"data: half\n"]) == []
