"""Where a tenant lets its prompts go."""

from collections.abc import Iterable

from pipeline.exchange import Route
from pipeline.ports.generation import Policy


def allowed(routes: Iterable[Route], policy: Policy) -> tuple[Route, ...]:
    """The routes that may be asked under a policy, in their order: all, those in the house, or none."""
    return tuple(route for route in routes if policy.allows(route.place))
