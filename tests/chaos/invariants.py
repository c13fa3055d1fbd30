"""What must hold after any fault, checked against witnesses outside of Postgres and its own history inside."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from pipeline.lifecycle import FINAL_STATUSES
from tests.chaos import history
from tests.chaos.fault import Check, Trial, Violation
from tests.sums import differences

lost = partial(Violation, "lost")
doubled = partial(Violation, "doubled")
broken = partial(Violation, "broken")

SUBMISSIONS: Final = """
SELECT id::text, idempotency_key AS key, status, callback_url IS NOT NULL AS calls_back
FROM submissions WHERE tenant_id = :tenant_id
"""


async def submissions_of(trial: Trial) -> list[Any]:
    return await trial.system.rows(SUBMISSIONS, tenant_id=trial.school.tenant_id)


async def accepted_is_kept(trial: Trial) -> list[Violation]:
    """Every 202 is in Postgres under its id and key, and reached a final state."""
    kept = {row.id: row for row in await submissions_of(trial)}
    return list(_losses(trial.load.accepted, kept))


def _losses(accepted: dict[str, str], kept: dict[str, Any]) -> Iterator[Violation]:
    for key, id_ in accepted.items():
        row = kept.get(id_)
        if row is None:
            yield lost(f"{id_} was accepted as {key} and is not there")
        elif row.key != key:
            yield broken(f"{id_} was accepted as {key} and is there as {row.key}")
        elif row.status not in FINAL_STATUSES:
            yield lost(f"{id_} was accepted and is still {row.status}")


async def one_submission_per_hand_in(trial: Trial) -> list[Violation]:
    """However often a hand-in was repeated, it is one submission; what nobody was told of is there at most once."""
    rows = await submissions_of(trial)
    keys = Counter(row.key for row in rows)
    return [
        *[doubled(f"{key} is there {count} times") for key, count in keys.items() if count > 1],
        *[doubled(f"{key} was answered with two ids") for key in trial.load.answered_twice],
        *[broken(f"{key} is there, and nobody handed it in") for key in keys if key not in trial.load.given],
    ]


async def sums_hold(trial: Trial) -> list[Violation]:
    """Skills and item ratings equal a replay one by one, figures a recount, statuses what stages say."""
    found = await differences(trial.system.parts.servers.engine, trial.school.tenant_id)
    return [doubled(text) for text in found]


async def history_keeps_its_rules(trial: Trial) -> list[Violation]:
    """Epochs only grow, leases don't overlap, what is final stays."""
    found = await history.broken_rules(trial.system.parts.servers.engine, trial.school.tenant_id)
    return [broken(text) for text in found]


async def webhooks_tell_once_and_the_same(trial: Trial) -> list[Violation]:
    """Each final submission that asked for it was told of, under one id, with one content, and truly."""
    rows = [row for row in await submissions_of(trial) if row.calls_back and row.status in FINAL_STATUSES]
    return [violation for row in rows for violation in _told_wrongly(row, trial)]


def _told_wrongly(row: Any, trial: Trial) -> Iterable[Violation]:
    told = trial.system.receiver.told.get(row.id, [])
    if not told:
        yield lost(f"no webhook told that {row.id} is {row.status}")
    if len({one.id for one in told}) > 1:
        yield doubled(f"webhooks told of {row.id} under several ids")
    if len({one.content for one in told}) > 1:
        yield doubled(f"webhooks told different things of {row.id}")
    if any(one.status != row.status for one in told):
        yield broken(f"a webhook told that {row.id} is {told[0].status}, and it is {row.status}")


async def no_request_is_paid_twice(trial: Trial) -> list[Violation]:
    """One usable reply for each text, but for those whose worker was killed before it could journal it."""
    witness = trial.system.witness
    return [doubled(text) for text in witness.paid_twice()] if witness is not None else []


async def the_ledger_is_what_providers_counted(trial: Trial) -> list[Violation]:
    """Tokens, requests and the budget, but for requests in the air at kills; and never too many at once."""
    witness = trial.system.witness
    if witness is None:
        return []
    found = await witness.misbooked(trial.system, trial.school.tenant_id)
    return [broken(text) for text in (*found, *witness.too_many_at_once())]


INVARIANTS: Final[tuple[Check, ...]] = (
    accepted_is_kept,
    one_submission_per_hand_in,
    sums_hold,
    history_keeps_its_rules,
    webhooks_tell_once_and_the_same,
    no_request_is_paid_twice,
    the_ledger_is_what_providers_counted,
)
