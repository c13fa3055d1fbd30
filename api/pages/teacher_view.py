"""What the teacher's pages show, worked out of what is known: rows, charts and links. Plain functions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import msgspec

from api.analytics_shown import FactorShown, ItemShown, LearnerAtRisk
from api.pages.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, BarChart, Frame, Reading, bar_chart, frame_of, tick_of
from api.pages.geometry import WIDTH, Label, Point, fitted, scaled
from api.pages.lanes import Counted, LaneChart, lane_chart
from api.pages.review_words import REVIEW
from api.pages.said import Table
from api.pages.shared_words import SHARED
from api.pages.teacher_words import TEACHER
from api.pages.visitor import address_of
from api.pages.words import Words
from pipeline.learning.risk import FactorBasis, Sign
from pipeline.ports.analytics import Group, RiskSums
from pipeline.service.careers import Career

TABLE: Final[Table] = MappingProxyType({**SHARED, **TEACHER, **REVIEW})
COLUMN: Final = 6.0
"""How wide a letter below a chart is at most, in the units of its view box."""
LONGEST_PROMPT: Final = 90
MOST_LANES: Final = 20
FIFTHS: Final = ("0–20", "20–40", "40–60", "60–80", "80–100")
UNKNOWN: Final = "–"


class Link(msgspec.Struct, frozen=True):
    """A way to another page, or to the same one seen otherwise; `current` is where the visitor is."""

    name: str
    href: str
    current: bool = False


class Drawn(msgspec.Struct, frozen=True):
    """A bar chart with its words and its table."""

    title: str
    description: str
    chart: BarChart
    rows: tuple[tuple[str, str], ...]


class InLanes(msgspec.Struct, frozen=True):
    """A chart of lanes with its words and its table."""

    title: str
    description: str
    chart: LaneChart
    rows: tuple[tuple[str, str], ...]


class RiskRow(msgspec.Struct, frozen=True):
    """A learner in the list: the signs that count in words, each with what to do about it."""

    learner_id: str
    score: str
    flagged: bool
    week_ago: str
    reasons: tuple[tuple[str, str], ...]
    last_active: str
    career: str


class Spot(msgspec.Struct, frozen=True):
    """A question in the map; one with a flag is drawn otherwise."""

    at: Point
    said: str
    flagged: bool


class ItemMap(msgspec.Struct, frozen=True):
    """Questions by how easy they are (right) and how well they discriminate (up); `zero` is where r is 0."""

    frame: Frame
    spots: tuple[Spot, ...]
    zero: float


def drawn(title: str, description: str, values: Mapping[str, int], say: Words) -> Drawn:
    """Counts by name as bars."""
    longest = int((WIDTH - LEFT - RIGHT) / max(len(values), 1) / COLUMN)
    readings = [
        Reading(fitted(name, longest), float(value), say("count_said", label=name, value=value))
        for name, value in values.items()
    ]
    rows = tuple((name, str(value)) for name, value in values.items())
    return Drawn(title, description, bar_chart(readings), rows)


def in_lanes(title: str, counts: Sequence[tuple[str, int]], say: Words) -> InLanes:
    """Counts of things with names of any length; the picture has the `MOST_LANES` greatest, the table has all."""
    things = [Counted(name, count, say("count_said", label=name, value=count)) for name, count in counts]
    greatest = sorted(range(len(counts)), key=lambda place: (-counts[place][1], place))[:MOST_LANES]
    description = say.listed([thing.said for thing in things]) or say("nothing_yet")
    chart = lane_chart([things[place] for place in sorted(greatest)])
    return InLanes(title, description, chart, tuple((name, str(count)) for name, count in counts))


def by_score(sums: RiskSums, say: Words) -> Drawn:
    """How many learners have which risk."""
    values = {f"{tenth / 10:.1f}": count for tenth, count in enumerate(sums.by_tenth)}
    said = say("by_score_said", flagged=sums.flagged, count=sums.learners)
    return drawn(say("by_score"), said, values, say)


def by_sign(sums: RiskSums, say: Words) -> InLanes:
    """How many learners show which sign."""
    return in_lanes(say("by_sign"), [(say(sign), count) for sign, count in zip(Sign, sums.by_sign, strict=True)], say)


def risk_row(one: LearnerAtRisk, say: Words) -> RiskRow:
    reasons = tuple((reason_of(factor, say), factor.action) for factor in one.factors if factor.action is not None)
    return RiskRow(
        learner_id=one.learner_id,
        score=f"{one.score:.1f}",
        flagged=one.flagged,
        week_ago=f"{one.week_ago.score:.1f}" if one.week_ago else UNKNOWN,
        reasons=reasons,
        last_active=one.last_active_on.isoformat() if one.last_active_on else UNKNOWN,
        career=one.career_goal or UNKNOWN,
    )


def reason_of(factor: FactorShown, say: Words) -> str:
    """A sign with its value in words."""
    if factor.basis is FactorBasis.NEVER:
        return say("never_value")
    value = factor.value or 0.0
    if factor.sign in {Sign.ACCURACY, Sign.COMPLETION}:
        return say(f"{factor.sign}_value", value=round(value * 100))
    return say(f"{factor.sign}_value", count=round(value))


def name_of(career: Career, say: Words) -> str:
    return career.title or career.category or say("no_goal")


def careers_chart(careers: Sequence[Career], say: Words) -> InLanes:
    """How many learners follow which path; those without learners are left out, and the smallest to the table."""
    followed = [career for career in careers if career.learners]
    return in_lanes(say("by_career"), [(name_of(career, say), career.learners) for career in followed], say)


def spread_chart(career: Career, say: Words) -> InLanes | None:
    """How far a path's learners are; None where that is not known of anybody."""
    if not career.measured:
        return None
    fifths = zip(FIFTHS, career.progress_fifths, strict=True)
    return in_lanes(say("progress_spread"), [(say("percent", value=fifth), count) for fifth, count in fifths], say)


def item_map(items: Sequence[ItemShown], say: Words) -> ItemMap | None:
    """Those questions of a list whose two figures are known; None where there are none."""
    spots = [
        Spot(
            at=Point(scaled(item.facility, 1.0, LEFT, WIDTH - RIGHT), height_of(item.discrimination)),
            said=f"{item.question_id}: {say.percent(item.facility)}, r {item.discrimination:.2f}",
            flagged=bool(item.flags),
        )
        for item in items
        if item.facility is not None and item.discrimination is not None
    ]
    if not spots:
        return None
    shares = [Reading(say.percent(share / 4), None, "") for share in range(5)]
    frame = frame_of(shares, [((r + 1) / 2, f"{r:g}") for r in (-1.0, -0.5, 0.0, 0.5, 1.0)], 1.0)
    below = tuple(
        Label(scaled(share / 4, 1.0, LEFT, WIDTH - RIGHT), HEIGHT - 6, label.lines, anchor_of(share))
        for share, label in enumerate(frame.labels)
    )
    frame = msgspec.structs.replace(frame, labels=below)
    return ItemMap(frame, tuple(spots), tick_of(0.5, "", 1.0).y)


def anchor_of(place: int) -> str:
    return {0: "start", 4: "end"}.get(place, "middle")


def height_of(r: float) -> float:
    return scaled((r + 1) / 2, 1.0, HEIGHT - BOTTOM, TOP)


def figure_said(item: ItemShown, name: str, say: Words) -> str:
    """A figure of a question in words, or why there is none."""
    if (reason := item.missing.get(name)) is not None:
        return say(reason)
    value = getattr(item, name)
    if name == "facility":
        return say.percent(value)
    return say("seconds", value=f"{value / 1000:.1f}") if name == "mean_time_ms" else f"{value:.2f}"


def moment_said(at: datetime, say: Words) -> str:
    return say("computed_at", time=f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def group_links(groups: Sequence[Group], path: str, current: str | None, say: Words, **query: str | None) -> list[Link]:
    """Everybody, and each group, on the page at `path`."""
    links = [Link(say("everybody"), address(path, say, **query), current=current is None)]
    links += [
        Link(group.name, address(path, say, group=group.id, **query), current=group.id == current) for group in groups
    ]
    return links


def address(path: str, say: Words, **query: str | None) -> str:
    """A page's address in the visitor's language."""
    return f"{address_of(path, **query)}locale={say.language}"
