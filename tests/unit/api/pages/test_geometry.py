"""What charts measure with."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.calendar import Naming, calendar, level_of, monday_of
from api.pages.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, Reading, bar_chart, line_chart
from api.pages.geometry import WIDTH, columns, fitted, nice_ticks, scaled, tidy, wrapped
from api.pages.radar import CENTRE, RADIUS, Axis, radar

PERCENT = [(0.0, "0"), (0.5, "50"), (1.0, "100")]
NAMING = Naming(tuple("MTWTFSS"), lambda day: f"{day:%b}", lambda day, count: f"{day}: {count}")


def readings(*values: float | None) -> list[Reading]:
    return [Reading(str(index), value, f"{index} is {value}") for index, value in enumerate(values)]


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, (0, 1)), (1, (0, 1)), (3, (0, 1, 2, 3)), (7, (0, 2, 4, 6, 8)), (100, (0, 50, 100)), (101, (0, 50, 100, 150))],
)
def test_ticks_are_round_and_reach_the_largest_value(most: float, ticks: tuple[float, ...]) -> None:
    assert nice_ticks(most) == ticks


@given(st.integers(0, 10**9))
def test_ticks_are_few_evenly_spaced_and_never_waste_a_step(most: int) -> None:
    ticks = nice_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert len(ticks) <= 5
    assert len(ticks) == 2 or ticks[-2] < most


def test_a_scale_ends_where_its_ends_are() -> None:
    assert [scaled(value, 10, 100, 0) for value in (-1, 0, 5, 10, 11)] == [100, 100, 50, 0, 0]
    assert scaled(5, 0, 100, 0) == 100


def test_numbers_are_short_and_zero_has_no_sign() -> None:
    assert [tidy(value) for value in (1.0, 2.3456, -0.01, 1234.56)] == ["1", "2.3", "0", "1234.6"]


def test_a_bar_is_as_high_as_its_value_and_stands_on_the_ground() -> None:
    chart = bar_chart(readings(0, 5, None, 10))
    room = HEIGHT - TOP - BOTTOM
    assert [bar.height for bar in chart.bars] == [0, room / 2, 0, room]
    assert all(bar.y + bar.height == pytest.approx(HEIGHT - BOTTOM) for bar in chart.bars)
    assert [label.label.lines for label in chart.frame.ticks] == [("0",), ("5",), ("10",)]


@given(st.lists(st.integers(0, 1000), max_size=60))
def test_bars_stay_inside_and_never_overlap(values: list[int]) -> None:
    bars = bar_chart(readings(*values)).bars
    assert all(bar.x >= LEFT and bar.x + bar.width <= WIDTH - RIGHT + 1e-6 and bar.height >= 0 for bar in bars)
    assert all(left.x + left.width < right.x for left, right in pairwise(bars))


def test_a_line_breaks_where_a_value_is_missing_and_a_lone_value_is_a_dot() -> None:
    chart = line_chart(readings(0.5, 0.6, None, 0.7, None, 0.8, 0.9, 1.0), PERCENT)
    assert [len(line.split()) for line in chart.lines] == [2, 3]
    assert len(chart.dots) == 6


def test_an_empty_row_is_a_chart_without_marks() -> None:
    assert bar_chart([]).bars == ()
    assert line_chart([], PERCENT).dots == ()
    assert line_chart(readings(None, None), PERCENT).lines == ()


@pytest.mark.parametrize("count", [1, 7, 8, 12, 26, 52])
def test_few_labels_are_shown_and_the_last_is_among_them(count: int) -> None:
    labels = bar_chart(readings(*range(count))).frame.labels
    assert len(labels) <= 6
    assert labels[-1].lines == (str(count - 1),)


@given(st.lists(st.floats(-1, 2), min_size=3, max_size=8))
def test_a_radar_keeps_every_value_between_its_centre_and_its_rim(shares: list[float]) -> None:
    shape = radar([Axis(str(index), share, "") for index, share in enumerate(shares)])
    for spoke in shape.spokes:
        away = ((spoke.value.x - CENTRE.x) ** 2 + (spoke.value.y - CENTRE.y) ** 2) ** 0.5
        assert away <= RADIUS + 1e-6


def test_a_radars_first_axis_points_up_and_names_grow_outward() -> None:
    shape = radar([Axis(name, 1.0, "") for name in ("up", "right", "down", "left")])
    assert shape.spokes[0].end.y == pytest.approx(CENTRE.y - RADIUS)
    assert [spoke.label.anchor for spoke in shape.spokes] == ["middle", "start", "middle", "end"]


def test_two_axes_make_no_radar() -> None:
    with pytest.raises(ValueError, match="two axes"):
        radar([Axis("a", 1, ""), Axis("b", 1, "")])


def test_a_calendar_has_a_square_for_every_day_up_to_the_last() -> None:
    shown = calendar({date(2026, 11, 18): 4, date(2026, 11, 17): 1}, date(2026, 11, 18), 26, NAMING)
    assert len(shown.cells) == 25 * 7 + 3
    assert [cell.level for cell in shown.cells[-2:]] == [1, 4]
    assert shown.cells[-1].said == "2026-11-18: 4"
    assert shown.cells[0].said == "2026-05-25: 0"
    assert all(cell.x + shown.side <= WIDTH and cell.y + shown.side <= shown.height for cell in shown.cells)


def test_a_calendars_months_have_room_and_weekdays_begin_with_monday() -> None:
    shown = calendar({}, date(2026, 11, 18), 26, NAMING)
    assert [label.lines[0] for label in shown.months] == ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    gaps = [right.x - left.x for left, right in pairwise(shown.months)]
    assert min(gaps) > 30
    assert [label.lines[0] for label in shown.weekdays] == ["M", "W", "F", "S"]


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_day_is_pale_only_where_nothing_was_done(count: int, more: int) -> None:
    level = level_of(count, count + more)
    assert (level == 0) is (count == 0)
    assert level <= 4
    assert more or not count or level == 4


def test_a_week_begins_on_monday() -> None:
    assert monday_of(date(2026, 11, 22)) == monday_of(date(2026, 11, 16)) == date(2026, 11, 16)


def test_names_are_shortened_by_what_they_take_not_by_how_many_letters_they_have() -> None:
    assert fitted("데이터 구조", 11) == "데이터 구조"
    assert fitted("데이터 구조", 8) == "데이터 …"
    assert fitted("loops", 5) == "loops"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("loops", ("loops",)),
        ("javascript.async_await", ("javascript.", "async_await")),
        ("abcdefghijklmnopqrstuvwxyzabcdef", ("abcdefghijklm", "nopqrstuvwxy…")),
        ("list comprehensions and generators", ("list", "comprehensio…")),
    ],
)
def test_a_long_name_takes_two_lines_at_most(name: str, lines: tuple[str, ...]) -> None:
    assert wrapped(name, 13) == lines


@given(st.text(), st.integers(2, 20))
def test_no_name_is_wider_than_its_room(name: str, most: int) -> None:
    assert all(columns(line) <= most for line in wrapped(name, most))
    assert len(wrapped(name, most)) <= 2
