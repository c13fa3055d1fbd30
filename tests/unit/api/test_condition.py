"""The request headers that say under which conditions an answer is wanted."""

import pytest

from api.condition import idempotency_key, known_version, matches, wait_preference
from pipeline.errors import InvalidInput


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=10", 10),
        ("WAIT = 7", 7),
        ('wait="3"', 3),
        ("wait=5; strict", 5),
        ("wait=0", 0),
        ("wait=31", 30),
        ("wait=999999999", 30),
        ("wait", None),
        ("wait=-1", None),
        ("wait=soon", None),
        ("await=5", None),
        ("", None),
        (None, None),
    ],
)
def test_a_preference_to_wait_is_understood_or_ignored(prefer: str | None, seconds: int | None) -> None:
    """A preference is no demand: what can't be read is as if it were not there (RFC 7240)."""
    assert wait_preference(prefer) == seconds


@pytest.mark.parametrize(
    ("given", "same"),
    [('"3-ab"', True), ('W/"3-ab"', True), ('"x", "3-ab"', True), ("*", True), ('"3-a"', False), ("3-ab", False)],
)
def test_a_tag_is_recognised_weakly(given: str, same: bool) -> None:
    assert matches('"3-ab"', given) is same


def test_no_condition_matches_nothing() -> None:
    assert not matches('"3-ab"', None)


@pytest.mark.parametrize(
    ("given", "version"),
    [('"3-ab"', 3), ('"3-ab", W/"12-cd"', 12), ('"ab"', 0), ("*", None), (None, None), ('"9999999999999-a"', 0)],
)
def test_the_newest_known_version_counts(given: str | None, version: int | None) -> None:
    assert known_version(given) == version


@pytest.mark.parametrize("key", ["", "\x1f", "ü", "x" * 256])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        idempotency_key({"idempotency-key": key})


@pytest.mark.parametrize("key", [" ", "x" * 255, "a~b"])
def test_any_printable_key_will_do(key: str) -> None:
    assert idempotency_key({"idempotency-key": key}) == key
    assert idempotency_key({}) is None
