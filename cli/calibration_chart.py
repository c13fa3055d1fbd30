"""Predicted against observed shares as an SVG that reads in light and dark, with its figures as text."""

from collections.abc import Iterable
from typing import Final

from pipeline.learning.evaluation import Bin

SIDE: Final = 320
MARGIN: Final = 48
WHOLE: Final = SIDE + 2 * MARGIN
GREATEST: Final = 10.0


def calibration_chart(calibration: Iterable[Bin]) -> str:
    """One dot per bin, its area as its share of the answers; on the diagonal predictions are right."""
    bins = [one for one in calibration if one.answers]
    most = max((one.answers for one in bins), default=1)
    ticks = "".join(tick(step / 5) for step in range(6))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WHOLE} {WHOLE}" role="img" '
        'font-family="sans-serif" font-size="12" fill="#767676">\n'
        "<title>Calibration: predicted and observed share of right answers</title>\n"
        f'<path d="M{MARGIN} {MARGIN}V{MARGIN + SIDE}H{MARGIN + SIDE}" fill="none" stroke="#767676"/>\n'
        f'<path d="M{x(0)} {y(0)}L{x(1)} {y(1)}" stroke="#767676" stroke-dasharray="4 4"/>\n'
        f"{ticks}{''.join(dot(one, most) for one in bins)}"
        f'<text x="{x(0.5)}" y="{WHOLE - 8}" text-anchor="middle">predicted</text>\n'
        f'<text x="14" y="{y(0.5)}" text-anchor="middle" transform="rotate(-90 14 {y(0.5)})">observed</text>\n'
        "</svg>\n"
    )


def dot(one: Bin, most: int) -> str:
    """A bin as a dot that says its figures when pointed at."""
    predicted, observed = one.predicted or 0.0, one.observed or 0.0
    radius = max(GREATEST * (one.answers / most) ** 0.5, 2.0)
    return (
        f'<circle cx="{x(predicted)}" cy="{y(observed)}" r="{radius:.1f}" fill="#2f7ed8">'
        f"<title>predicted {predicted:.3f}, observed {observed:.3f}, {one.answers} answers</title></circle>\n"
    )


def tick(share: float) -> str:
    return (
        f'<text x="{x(share)}" y="{MARGIN + SIDE + 16}" text-anchor="middle">{share:.1f}</text>\n'
        f'<text x="{MARGIN - 6}" y="{y(share) + 4}" text-anchor="end">{share:.1f}</text>\n'
    )


def x(share: float) -> float:
    return round(MARGIN + SIDE * share, 1)


def y(share: float) -> float:
    return round(MARGIN + SIDE * (1.0 - share), 1)
