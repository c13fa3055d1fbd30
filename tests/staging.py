"""A worker whose stages don't go on by themselves, for tests that look at what is between two of them."""

from pipeline.bootstrap import Servers, WorkerParts, build_runner, build_worker
from pipeline.lifecycle import Stage
from pipeline.settings import Settings


def build_stage_by_stage(settings: Settings, servers: Servers) -> WorkerParts:
    """A worker that serves every stage, each as if it served no other."""
    parts = build_worker(settings, servers)
    parts.runners.update({stage: build_runner(stage, parts.shop, (stage,)) for stage in Stage})
    return parts
