"""The charts and the page of how cost grows."""

from itertools import pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.growth.bars import Bar, Bars, drawn_bars
from benchmarks.growth.chart import MOST_STEPS, Chart, Series, drawn, short, steps_up_to
from benchmarks.growth.page import Section, markdown, replaced, table

SVG = "{http://www.w3.org/2000/svg}"
CHART = Chart("Rate", "waiting", "per second", [Series("a<b", [(1_000, 10.0), (1_000_000, 12.5)])], log_x=True)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own chart


def circles(svg: str) -> list[tuple[float, float]]:
    return [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in parsed(svg).iter(f"{SVG}circle")]


def test_a_chart_is_well_formed_and_the_same_every_time() -> None:
    assert drawn(CHART) == drawn(CHART)
    assert parsed(drawn(CHART)).tag == f"{SVG}svg"


def test_a_higher_value_stands_higher_and_a_later_one_further_right() -> None:
    [(x1, y1), (x2, y2)] = circles(drawn(CHART))
    assert x1 < x2
    assert y1 > y2


def test_names_are_escaped() -> None:
    two = CHART._replace(series=[*CHART.series, Series("c&d", [(1_000, 1.0)])])
    texts = [element.text for element in parsed(drawn(two)).iter(f"{SVG}text")]
    assert {"a<b", "c&d"} <= set(texts)


@given(st.floats(min_value=0.001, max_value=1e9))
def test_steps_begin_at_nought_reach_the_value_and_are_few(most: float) -> None:
    steps = steps_up_to(most)
    assert steps[0] == 0
    assert steps[-2] < most <= steps[-1] * 1.000_01  # rounded, as floats are
    assert len(steps) <= MOST_STEPS + 2
    assert all(low < high for low, high in pairwise(steps))


def test_numbers_are_short() -> None:
    assert [short(value) for value in (1_000_000, 100_000, 10_000, 1_473, 250, 12.34, 0.5, 0)] == [
        "1 M", "100 k", "10 k", "1,473", "250", "12.3", "0.5", "0",
    ]  # fmt: skip


def test_bars_are_as_long_as_their_values() -> None:
    root = parsed(drawn_bars(Bars("Rate", [Bar("one", 50.0), Bar("two", 100.0)])))
    short_bar, long_bar = (float(bar.get("width", "")) for bar in root.iter(f"{SVG}rect"))
    assert short_bar * 2 == long_bar


def test_a_measure_replaces_its_own_part_of_the_page_only() -> None:
    page = replaced(replaced("# Page\n", "a", "old a"), "b", "old b")
    assert replaced(page, "a", "new") == page.replace("old a", "new")


def test_a_section_names_what_did_not_hold() -> None:
    section = Section("Backlog", "How.", {"rate": CHART}, table(["n", "rate"], [["1", "2"]]), ["it is not flat"])
    assert "![Rate](charts/rate.svg)" in markdown(section)
    assert "**Not held:** it is not flat" in markdown(section)
