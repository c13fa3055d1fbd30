"""Bars that lie one below the other."""

from hypothesis import given
from hypothesis import strategies as st

from api.pages.geometry import WIDTH, columns
from api.pages.lanes import BAR_HEIGHT, NAME_BASE, Counted, lane_chart

LETTER: float = 6.9
NAMES = st.text(min_size=1, max_size=120)


@given(st.lists(st.builds(Counted, NAMES, st.integers(0, 10**6), NAMES), max_size=30))
def test_no_name_or_count_touches_another_or_leaves_the_picture(things: list[Counted]) -> None:
    chart = lane_chart(things)
    assert len(chart.lanes) == len(things)
    below = 0.0
    for lane in chart.lanes:
        assert lane.name.y - NAME_BASE >= below
        assert lane.bar.y > lane.name.y
        below = lane.bar.y + BAR_HEIGHT
        assert below <= chart.height
        assert columns(lane.name.lines[0]) * LETTER <= WIDTH
        assert lane.count.x >= lane.bar.x + lane.bar.width
        assert lane.count.x + LETTER * len(lane.count.lines[0]) <= WIDTH


def test_bars_are_as_long_as_their_counts() -> None:
    half, whole, none = lane_chart([Counted("a", 2, ""), Counted("b", 4, ""), Counted("c", 0, "")]).lanes
    assert half.bar.width * 2 == whole.bar.width > 0 == none.bar.width


def test_two_things_of_one_name_stay_two() -> None:
    assert [lane.count.lines for lane in lane_chart([Counted("Web", 3, ""), Counted("Web", 5, "")]).lanes] == [
        ("3",),
        ("5",),
    ]
