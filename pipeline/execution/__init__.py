"""One run of a stage: claim → prepare → perform → judge → record → ring.

A ring says that some submissions may have work in a stage. Whoever takes it claims those that really do,
works on them, and in one transaction stores what came of it and readies what follows. Every step tells
its surprises apart: Postgres away is waited for while the lease lasts, a fault of one submission is that
submission's failed attempt, and neighbours go on.

`runner` runs stages that compute, a batch at a time; `apart` those that take their time, each submission by itself.
"""

from pipeline.execution.announcing import DELIVER, GENERATE, Announcer, announce, publish, ring
from pipeline.execution.apart import ApartRunner, PerformAlone
from pipeline.execution.fault import each_alone, failure
from pipeline.execution.runner import StageRunner
from pipeline.execution.shop import InFlight, Shop
from pipeline.patience import patiently
from pipeline.telemetry import place_of

Runner = StageRunner | ApartRunner

__all__ = [
    "DELIVER",
    "GENERATE",
    "Announcer",
    "ApartRunner",
    "InFlight",
    "PerformAlone",
    "Runner",
    "Shop",
    "StageRunner",
    "announce",
    "each_alone",
    "failure",
    "patiently",
    "place_of",
    "publish",
    "ring",
]
