"""A tenant that wants its data in the house keeps it there."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange import Place, Route
from pipeline.generation.permission import allowed
from pipeline.ports.generation import Policy

places = st.lists(st.sampled_from(Place), max_size=8)


def routes_at(found: list[Place]) -> list[Route]:
    return [Route(f"p{number}", "openai", "m", "account", place) for number, place in enumerate(found)]


@given(places)
def test_local_never_lets_a_cloud_route_through(found: list[Place]) -> None:
    routes = routes_at(found)
    assert allowed(routes, Policy("local")) == tuple(route for route in routes if route.place is Place.LOCAL)


@given(places)
def test_off_lets_nothing_through_and_cloud_everything(found: list[Place]) -> None:
    routes = routes_at(found)
    assert allowed(routes, Policy("off")) == ()
    assert allowed(routes, Policy("cloud")) == tuple(routes)
