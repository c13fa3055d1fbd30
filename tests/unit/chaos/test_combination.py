"""Faults that overlap at random."""

import pytest

from tests.chaos.combination import combination
from tests.chaos.faults import FAULTS

TOUCHES = {fault.name: fault.touches for fault in FAULTS}


@pytest.mark.parametrize("seed", range(30))
def test_no_two_faults_of_a_combination_touch_the_same(seed: int) -> None:
    names = combination(FAULTS, seed).title.partition(": ")[2].split(" + ")
    touched = [TOUCHES[name] for name in names]
    assert 2 <= len(touched) == len(set(touched)) <= 3
    assert None not in touched


def test_a_seed_draws_the_same_faults_again() -> None:
    assert combination(FAULTS, 42).title == combination(FAULTS, 42).title


def test_every_fault_has_a_name_and_a_title_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len({fault.title for fault in FAULTS}) == len(FAULTS)
