"""How providers' accounts do, decided by one process alone: breaker, rest and places of each.

`pipeline/live/health.py` decides the same in Redis (the contract tests run both side by side) and falls back on this
where Redis is away. Pure but for its own state: the time in milliseconds and every random draw in [0, 1) are handed in.
"""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from pipeline.exchange import ACCOUNT_TROUBLES, HEALTH_TROUBLES, Trouble
from pipeline.ports.generation import Admitted, Held, ProviderHealth

SLOTS: Final = 10
"""The breaker's window is cut into so many slots; the oldest one is forgotten whole."""
DOUBLINGS: Final = 30
FULL_SECONDS: Final = 0.1
"""When to ask again where all places are taken: nobody knows when one comes back."""


class HealthPolicy(msgspec.Struct, frozen=True):
    """When a provider counts as sick, how long it is left alone, and how much is asked of all at once.

    `concurrency` bounds the requests under way over all accounts. A breaker opens where at least `least_calls` ended
    within `window_seconds` and a share of `failure_rate` of them failed, first for up to `open_seconds`, doubled with
    every failed probe up to `open_cap_seconds`. A rate limit without a time of its own rests the account for up to
    `rest_seconds`, doubled while it repeats up to `rest_cap_seconds`; a time that the provider names counts up to
    `longest_rest_seconds`. A lease ends after `lease_seconds` unless renewed; who waits for a place and does not ask
    for `turn_seconds` has lost its turn.
    """

    concurrency: int = 5
    window_seconds: float = 30.0
    least_calls: int = 10
    failure_rate: float = 0.5
    open_seconds: float = 5.0
    open_cap_seconds: float = 300.0
    rest_seconds: float = 2.0
    rest_cap_seconds: float = 60.0
    longest_rest_seconds: float = 600.0
    lease_seconds: float = 15.0
    turn_seconds: float = 0.6

    @property
    def slot_ms(self) -> int:
        """How long a slot of the window is, rounded up."""
        return -(-ms(self.window_seconds) // SLOTS)


class Verdict(StrEnum):
    """What the end of a request says about its account."""

    WELL = "well"
    ILL = "ill"
    LOCKED = "locked"
    LIMITED = "limited"
    SILENT = "silent"


def ms(seconds: float) -> int:
    return round(seconds * 1000)


def verdict_of(trouble: Trouble | None) -> Verdict:
    """A provider that answers is well, even where it won't do what was asked."""
    if trouble is Trouble.RATE_LIMITED:
        return Verdict.LIMITED
    if trouble in ACCOUNT_TROUBLES:
        return Verdict.LOCKED
    return Verdict.ILL if trouble in HEALTH_TROUBLES else Verdict.WELL


class Asking(msgspec.Struct, frozen=True):
    """A request for a place: `limit` is its account's, `name` makes the lease unique, `asker` is who waits in turn."""

    account: str
    limit: int
    name: str
    asker: str = "here"


class Turn(NamedTuple):
    """Since when somebody waits for a place of an account; sorted as the script sorts its text."""

    since: int
    asker: str
    limit: str
    account: str


class Account:
    """What is known of one account; times are in milliseconds."""

    def __init__(self) -> None:
        self.open_until: int | None = None
        self.since = 0  # when the breaker last changed: what was sent before tells of another time
        self.openings = 0
        self.probe: str | None = None
        self.cooling_until = 0
        self.repeats = 0
        self.slots: dict[int, tuple[int, int]] = {}  # calls and failures
        self.leases: dict[str, int] = {}

    def counted(self, newest: int) -> tuple[int, int]:
        """Calls and failures in the window that ends with this slot."""
        kept = [counts for slot, counts in self.slots.items() if slot > newest - SLOTS]
        return sum(calls for calls, _ in kept), sum(failures for _, failures in kept)

    def count(self, newest: int, *, failed: bool) -> tuple[int, int]:
        """Count one call, and answer what the window holds now."""
        calls, failures = self.slots.get(newest, (0, 0))
        self.slots = {slot: counts for slot, counts in self.slots.items() if slot > newest - SLOTS}
        self.slots[newest] = calls + 1, failures + failed
        return self.counted(newest)


class LocalHealth:
    """Accounts, and who waits for a place."""

    def __init__(self, policy: HealthPolicy) -> None:
        self.policy = policy
        self._accounts: dict[str, Account] = {}
        self._turns: dict[tuple[str, str], Turn] = {}
        self._turn_ends: dict[tuple[str, str], int] = {}

    def admit(self, asking: Asking, now: int) -> Admitted | Held:
        """A place, or why there is none."""
        self._sweep(now)
        account = self._account(asking.account)
        held = self._unwell(account, now) or self._full(asking, now)
        if held is None or held.reason != "full":
            self._turns.pop((asking.account, asking.asker), None)
        if held is not None:
            return held
        lease = f"{now}-{asking.name}"
        account.leases[lease] = now + ms(self.policy.lease_seconds)
        if account.open_until is not None:
            account.probe = lease
        return Admitted(lease, probe=account.open_until is not None)

    def renew(self, account: str, lease: str, now: int) -> None:
        """Keep a place, or take it again where it was forgotten: the request is under way."""
        self._account(account).leases[lease] = now + ms(self.policy.lease_seconds)

    def release(
        self, account_name: str, lease: str, verdict: Verdict, now: int, draw: float, rest_seconds: float | None = None
    ) -> None:
        """Give a place back and judge its account by how it went, once."""
        self._sweep(now)
        account = self._account(account_name)
        if account.leases.pop(lease, None) is None:
            return
        began = int(lease.partition("-")[0])
        probing, account.probe = account.probe == lease, None if account.probe == lease else account.probe
        if verdict is Verdict.LIMITED:
            self._rest(account, began, now, draw, rest_seconds)
        elif verdict is not Verdict.SILENT:
            if verdict is Verdict.WELL and began >= account.cooling_until:
                account.repeats = 0
            self._judge(account, verdict, began, now, draw, probing=probing)

    def look(self, name: str, now: int) -> ProviderHealth:
        """How an account does."""
        self._sweep(now)
        account = self._account(name)
        calls, failures = account.counted(now // self.policy.slot_ms)
        opens_again = None if account.open_until is None else max(0, account.open_until - now) / 1000
        return ProviderHealth(
            account=name,
            breaker="closed" if opens_again is None else "open" if opens_again else "half_open",
            calls=calls,
            failures=failures,
            under_way=len(account.leases),
            opens_again_in_seconds=opens_again or None,
            cooling_seconds=max(0, account.cooling_until - now) / 1000 or None,
        )

    def follow(self, name: str, shared: Admitted | Held, now: int) -> None:
        """Take over what was decided for all, so as to go on from there should that be lost."""
        account = self._account(name)
        if isinstance(shared, Admitted):
            account.leases[shared.lease] = now + ms(self.policy.lease_seconds)
            if shared.probe:
                account.probe, account.open_until = shared.lease, account.open_until or now
            elif account.open_until is not None:
                account.open_until, account.openings, account.slots = None, 0, {}
        elif shared.reason == "open":
            account.open_until = now + ms(shared.seconds)
        elif shared.reason == "cooling":
            account.cooling_until = now + ms(shared.seconds)

    def _account(self, name: str) -> Account:
        return self._accounts.setdefault(name, Account())

    def _sweep(self, now: int) -> None:
        for account in self._accounts.values():
            account.leases = {lease: ends for lease, ends in account.leases.items() if ends > now}
        self._turns = {who: turn for who, turn in self._turns.items() if self._turn_ends[who] > now}

    def _unwell(self, account: Account, now: int) -> Held | None:
        if account.open_until is not None and now < account.open_until:
            return Held("open", (account.open_until - now) / 1000)
        if now < account.cooling_until:
            return Held("cooling", (account.cooling_until - now) / 1000)
        if account.open_until is not None and account.probe in account.leases:
            return Held("open", (account.leases[account.probe] - now) / 1000)
        return None

    def _full(self, asking: Asking, now: int) -> Held | None:
        """Held where no place is left once those have theirs who waited longer; who is held waits from now on."""
        who = (asking.account, asking.asker)
        turn = self._turns.get(who)
        free = {name: -len(account.leases) for name, account in self._accounts.items()}
        free_of_all = self.policy.concurrency + sum(free.values())
        for ahead in sorted(self._turns.values()):
            if ahead == turn:
                break
            if free_of_all > 0 and int(ahead.limit) + free[ahead.account] > 0:
                free_of_all -= 1
                free[ahead.account] -= 1
        if free_of_all > 0 and asking.limit + free[asking.account] > 0:
            return None
        self._turns[who] = turn or Turn(now, asking.asker, str(asking.limit), asking.account)
        self._turn_ends[who] = now + ms(self.policy.turn_seconds)
        return Held("full", FULL_SECONDS)

    def _rest(self, account: Account, began: int, now: int, draw: float, seconds: float | None) -> None:
        """Rest as long as the provider says; else longer with each rate limit met after a rest, but not a success."""
        rest = 0 if seconds is None else ms(min(seconds, self.policy.longest_rest_seconds))
        if began >= account.cooling_until:
            account.repeats = min(account.repeats + 1, DOUBLINGS)
            if seconds is None:
                rest = doubled(self.policy.rest_seconds, self.policy.rest_cap_seconds, account.repeats, draw)
        account.cooling_until = max(account.cooling_until, now + rest)

    def _judge(self, account: Account, verdict: Verdict, began: int, now: int, draw: float, *, probing: bool) -> None:
        if account.open_until is not None:
            if probing and verdict is Verdict.WELL:
                account.open_until, account.openings, account.since, account.slots = None, 0, now, {}
            elif probing:
                self._open(account, now, draw)
            return
        if began < account.since:
            return
        calls, failures = account.count(now // self.policy.slot_ms, failed=verdict is not Verdict.WELL)
        sick = calls >= self.policy.least_calls and failures >= self.policy.failure_rate * calls
        if verdict is Verdict.LOCKED or (verdict is Verdict.ILL and sick):
            self._open(account, now, draw)

    def _open(self, account: Account, now: int, draw: float) -> None:
        account.openings = min(account.openings + 1, DOUBLINGS)
        account.open_until = now + doubled(
            self.policy.open_seconds, self.policy.open_cap_seconds, account.openings, draw
        )
        account.since, account.probe = now, None


def doubled(seconds: float, cap_seconds: float, times: int, draw: float) -> int:
    """The `times`-th of doubling times in ms, at most the cap, a random half of it left out."""
    return int(min(ms(cap_seconds), ms(seconds) * 2.0 ** (times - 1)) * (0.5 + draw / 2))
