"""What commands print."""

import pytest

from cli.output import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (1000, "1000 lines")])
def test_one_thing_is_not_spoken_of_as_many(number: int, said: str) -> None:
    assert counted(number, "line") == said
