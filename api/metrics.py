"""Figures for Prometheus: requests are counted as they pass, everything else is looked up when asked for.

Counting is two dictionary entries per request; the exposition format is written by prometheus-client.
Each API process counts its own requests.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from time import perf_counter
from typing import Any, Final, cast

from litestar import Response, get
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from api.caller import AnyRequest, allow
from api.description import Answer, described
from api.llm_metrics import BOUNDS as LLM_BOUNDS
from api.llm_metrics import llm_families
from pipeline.service.access import Permission
from pipeline.service.insight import SCRAPED_MINUTES
from pipeline.service.operations import Queue

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency buckets, in seconds."""


class Latencies:
    """How long the requests of one route took: how many fell into each bucket, and their sum in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Upper bounds and how many requests took at most so long, as Prometheus wants them."""
        total, buckets = 0, []
        for bound, count in zip((*BOUNDS, "+Inf"), self.counts, strict=True):
            total += count
            buckets.append((str(bound), float(total)))
        return buckets


class Traffic:
    """The requests that one application has answered, by route as it is declared, never by path as it was sent."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, str, int], int] = {}
        self._latencies: dict[tuple[str, str], Latencies] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answer."""
        answer = (method, route, status)
        self._answered[answer] = self._answered.get(answer, 0) + 1
        latencies = self._latencies.get((method, route))
        if latencies is None:
            latencies = self._latencies[method, route] = Latencies()
        latencies.add(seconds)

    def counting(self, app: ASGIApp) -> ASGIApp:
        """The middleware that counts what passes through it."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            http = cast("HTTPScope", scope)  # there are no routes of another kind
            started, status = perf_counter(), 500

            async def note(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, note)
            finally:
                self.count(http["method"], http["path_template"], status, perf_counter() - started)

        return counted

    def families(self) -> Iterator[Any]:
        """The counts as Prometheus' metric families."""
        requests = CounterMetricFamily(
            "gradeline_http_requests", "Requests answered by this process.", labels=["method", "route", "status"]
        )
        for (method, route, status), count in self._answered.items():
            requests.add_metric([method, route, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily(
            "gradeline_http_request_seconds", "Time to answer a request.", labels=["method", "route"]
        )
        for (method, route), latencies in self._latencies.items():
            seconds.add_metric([method, route], latencies.buckets, latencies.seconds)
        yield seconds


QUEUE_GAUGES: Final = {
    "ready": "Stages (or webhook deliveries) that may run now.",
    "running": "Stages that a worker holds.",
    "scheduled": "Stages that wait for their next try.",
    "dead": "Stages with no attempt left.",
    "oldest_ready_seconds": "How long the oldest of what may run has waited.",
    "paused": "1 where the queue is paused.",
}


def queue_families(queues: Iterable[Queue]) -> Iterator[Any]:
    """What lies in the queues, one gauge per number."""
    listed = list(queues)
    for field, meaning in QUEUE_GAUGES.items():
        gauge = GaugeMetricFamily(f"gradeline_queue_{field}", meaning, labels=["queue"])
        for queue in listed:
            gauge.add_metric([queue.name], float(getattr(queue, field) or 0))
        yield gauge


def gauge_of(name: str, meaning: str, value: float) -> Any:
    return GaugeMetricFamily(name, meaning, value=value)


def build_of(number: str) -> Any:
    build = GaugeMetricFamily("gradeline_build_info", "The version that runs.", labels=["version"])
    build.add_metric([number], 1)
    return build


class Collected(Collector):
    """Metric families that were gathered beforehand."""

    def __init__(self, families: Iterable[Any]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Any]:
        return self._families


def exposition(families: Iterable[Any]) -> bytes:
    """Metric families in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Collected(families))
    return generate_latest(registry)


@get(
    "/metrics",
    opt=described(
        "Health",
        {200: Answer("The figures.", str, media_type=CONTENT_TYPE_LATEST)},
        permission=Permission.OPERATE,
    ),
)
async def show_metrics(request: AnyRequest) -> Response[bytes]:
    """Show figures for Prometheus.

    Requests are those of the API process that answers; queues, workers and breakers are the installation's. What models
    were asked and cost is that of the tenant whose key is sent.
    """
    parts, principal = await allow(request, Permission.OPERATE)
    traffic: Traffic = request.app.state.traffic
    families = [
        build_of(version("gradeline")),
        *traffic.families(),
        *queue_families(await parts.operations.queues()),
        gauge_of("gradeline_workers", "Worker processes that live.", await parts.operations.count_workers()),
        *llm_families(
            await parts.insight.show(principal, SCRAPED_MINUTES), await parts.insight.tallies(principal, LLM_BOUNDS)
        ),
    ]
    return Response(exposition(families), media_type=CONTENT_TYPE_LATEST)


def metric_handlers() -> list[Any]:
    return [show_metrics]
