"""Each failure of a provider, on each wire, costs what docs/llm.md says: requests, time, money, no submission."""

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.conftest import new_database
from tests.failures.cases import FAILURES, WIRES, Failure
from tests.failures.measure import Measured, measure_all
from tests.failures.page import PAGE, with_table

Measures = dict[tuple[str, str], Measured]


@pytest.fixture(scope="module")
def measured(postgres: EmbeddedPostgres, template: str, valkey: EmbeddedValkey) -> Iterator[Measures]:
    """All of them, measured once."""
    for url in new_database(postgres, template):
        found = asyncio.run(measure_all(url, valkey.url))
        yield {(one.wire, one.failure): one for one in found}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_failing_provider_costs_no_more_requests_time_and_money_than_promised(
    measured: Measures, failure: Failure, wire: str
) -> None:
    assert measured[wire, failure.name].first == failure.expected


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_where_all_providers_fail_the_template_writes_and_says_so(
    measured: Measures, failure: Failure, wire: str
) -> None:
    found = measured[wire, failure.name]
    assert found.alone == failure.alone
    assert (found.reason is not None) == (found.alone.source == "template")


def test_the_page_has_what_was_measured(measured: Measures) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page, list(measured.values())), "run `python -m tests.failures`"
