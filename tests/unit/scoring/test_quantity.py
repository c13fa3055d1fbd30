from typing import Any

import pytest

from pipeline.scoring.quantity import matches, same_unit


@pytest.mark.parametrize(
    ("value", "response"),
    [
        (3.1, 3.1),
        (3.1, "3.1"),
        (3.1, "3,1"),
        (3.1, "3.1 kg"),
        (3.1, "３．１"),
        (3.1, "３，１"),
        (3, "３"),
        (3, "٣"),
        (0.5, ".5"),
        (0.5, "½"),
        (0.75, "3/4"),
        (3, "3."),
        (-3, "-3"),
        (-3, "\u22123"),
        (3, "+3"),
        (3, "= 3"),
        (1234, "1,234"),
        (1.234, "1,234"),
        (1234.5, "1,234.5"),
        (1234.5, "1.234,5"),
        (1234.5, "1 234,5"),
        (1234.5, "1\u202f234,5"),
        (1234567, "1'234'567"),
        (1234567, "12,34,567"),
        (1200, "1.2e3"),
        (6.02e23, "6.02 × 10^23"),
        (6.02e23, "6.02×10²³"),
        (1_000_000, "10^6"),
        (1_000_000, "10⁶"),
        (50, "50%"),
        (0.5, "50%"),
        (5, "$5"),
        (-5, "-€5"),
        (12, "12 apples"),
        (12, "12個"),
        (0.3, 0.1 + 0.2),
        (1 / 3, "1/3"),
        (0, 0),
        (0, "0,0"),
    ],
)
def test_a_number_is_read_however_it_is_written(value: float, response: Any) -> None:
    assert matches({"value": value}, response)


@pytest.mark.parametrize(
    ("value", "response"),
    [
        (3, "three"),
        (3, "3-4"),
        (3, "3 or 4"),
        (3, "3 4"),
        (34, "3 4"),
        (106, "10⁶"),
        (1234, "0,1234"),
        (12, "1,2"),
        (1, "1/0"),
        (1, "1e999"),
        (1, "NaN"),
        (1, "inf"),
        (1, "0x1"),
        (1, "1" * 101),
        (1, 10**400),
        (1, True),
        (1, [1]),
        (1, ""),
        (1, "--1"),
        (6, "6*100"),
    ],
)
def test_what_is_no_such_number_does_not_match(value: float, response: Any) -> None:
    assert not matches({"value": value}, response)


@pytest.mark.parametrize(
    ("key", "inside", "outside"),
    [
        ({"value": 3.14, "tolerance": 0.01}, [3.13, 3.15, "3,15"], [3.1299, 3.1501]),
        ({"value": 50, "relative_tolerance": 0.05}, [47.5, 52.5, "52,5"], [47.49, 52.51]),
        ({"value": -50, "relative_tolerance": 0.05}, [-47.5, -52.5], [50, -52.51]),
        ({"value": 2}, [2, 2.0, "2.000"], [2.000001, "2.01"]),
        ({"value": 2, "tolerance": 0}, [2], [2.001]),
    ],
)
def test_the_borders_of_the_tolerance_belong_to_it(key: Any, inside: list[Any], outside: list[Any]) -> None:
    assert all(matches(key, response) for response in inside)
    assert not any(matches(key, response) for response in outside)


def test_a_unit_may_be_left_out_but_not_be_another() -> None:
    key = {"value": 3.1, "unit": "kg"}
    assert all(matches(key, response) for response in ("3.1", 3.1, "3.1kg", "3.1 KG", "3.1 ｋｇ"))
    assert not any(matches(key, response) for response in ("3.1 g", "3.1 m", "$3.1", "3100 g"))


@pytest.mark.parametrize(
    ("wanted", "written"), [("m²", "m2"), ("m/s^2", "m / s²"), ("°C", "°c"), ("㎏", "kg"), ("%", "％")]
)
def test_units_are_the_same_however_they_are_set(wanted: str, written: str) -> None:
    assert same_unit(wanted, written)


@pytest.mark.parametrize(("wanted", "written"), [("mW", "MW"), ("Pa", "pa"), ("m", "s"), ("m2", "m3")])
def test_units_that_differ_by_a_prefix_are_not_the_same(wanted: str, written: str) -> None:
    assert not same_unit(wanted, written)
