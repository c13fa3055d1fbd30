"""Cursors: what comes back is a place in the list, or refused."""

import msgspec
import pytest

from pipeline.errors import InvalidInput
from pipeline.ports.analytics import RiskPlace
from pipeline.service.page import cursor_behind, place_before, place_behind


def test_a_place_comes_back_as_it_was() -> None:
    place = RiskPlace(0.6, "학생-1")
    assert place_before(place_behind(place), RiskPlace) == place


@pytest.mark.parametrize("made_up", [[0.6, "a\x00b"], [0.6, 7], [0.6], "x"])
def test_a_cursor_that_no_list_gave_out_is_refused(made_up: object) -> None:
    """Within a place a U+0000 stands as an escape, which a look at the cursor's own text does not show."""
    with pytest.raises(InvalidInput):
        place_before(cursor_behind(msgspec.json.encode(made_up).decode()), RiskPlace)
