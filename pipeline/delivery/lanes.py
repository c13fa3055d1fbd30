"""Who is sent to next: fair between receivers, so that a slow or dead one waits only for itself.

Every receiver has a lane. What a lane may hold at once depends on how its receiver did last, and those that
did badly share a small part of all slots: however many they are, the rest stays free for the others.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

import msgspec


class Standing(Enum):
    """How a receiver did last: answered quickly; not known yet, or slow; not at all."""

    PROVEN = auto()
    UNPROVEN = auto()
    SUSPECT = auto()


class Share(msgspec.Struct, frozen=True):
    """How much lanes of one standing may hold: sent at once by each, sent at once by all, waiting in each."""

    per_lane: int
    together: int
    waiting: int


class Slot(msgspec.Struct, frozen=True):
    """The right to send one delivery now."""

    lane: str
    id: str
    standing: Standing


# 64 sockets are little for a process; three quarters of them are out of reach for receivers that fail.
SLOTS: Final = 64
SHARES: Final[Mapping[Standing, Share]] = MappingProxyType(
    {Standing.PROVEN: Share(8, 64, 500), Standing.UNPROVEN: Share(2, 32, 200), Standing.SUSPECT: Share(1, 16, 1)}
)
WAITING: Final = 50_000
REMEMBERED: Final = 10_000


class Lanes:
    """The deliveries that wait in this process or are being sent by it.

    Bounded: what finds no room is forgotten here and comes again with a later ring.
    """

    def __init__(self, *, slots: int = SLOTS, shares: Mapping[Standing, Share] = SHARES) -> None:
        self._slots = slots
        self._shares = shares
        self._waiting: OrderedDict[str, deque[str]] = OrderedDict()
        self._known: set[str] = set()
        self._sending: dict[str, int] = {}
        self._used = dict.fromkeys(Standing, 0)
        self._standing: OrderedDict[str, Standing] = OrderedDict()

    def knows(self, delivery_id: str) -> bool:
        """Whether this delivery waits here or is being sent."""
        return delivery_id in self._known

    def add(self, lane: str, delivery_id: str) -> bool:
        """Line one up; False if it is here already or there is no room."""
        room = self._shares[self._standing_of(lane)].waiting - len(self._waiting.get(lane, ()))
        if delivery_id in self._known or room <= 0 or len(self._known) >= WAITING:
            return False
        self._waiting.setdefault(lane, deque()).append(delivery_id)
        self._known.add(delivery_id)
        return True

    def take(self) -> list[Slot]:
        """Everything that may be sent now, one lane after another; give each slot back with `release`."""
        taken: list[Slot] = []
        while slot := self._next():
            taken.append(slot)
        return taken

    def release(self, slot: Slot, standing: Standing | None) -> None:
        """Give a slot back and remember how the receiver did; None where that was not learnt."""
        self._known.discard(slot.id)
        self._used[slot.standing] -= 1
        self._sending[slot.lane] -= 1
        if not self._sending[slot.lane]:
            del self._sending[slot.lane]
        if standing is not None:
            self._remember(slot.lane, standing)

    def forget_waiting(self) -> None:
        """Drop what waits; what is being sent stays."""
        for waiting in self._waiting.values():
            self._known.difference_update(waiting)
        self._waiting.clear()

    def _next(self) -> Slot | None:
        if sum(self._used.values()) >= self._slots:
            return None
        lane = next((name for name in self._waiting if self._has_room(name)), None)
        if lane is None:
            return None
        slot = Slot(lane, self._waiting[lane].popleft(), self._standing_of(lane))
        if self._waiting[lane]:
            self._waiting.move_to_end(lane)  # the others first, before it is its turn again
        else:
            del self._waiting[lane]
        self._used[slot.standing] += 1
        self._sending[lane] = self._sending.get(lane, 0) + 1
        return slot

    def _has_room(self, lane: str) -> bool:
        standing = self._standing_of(lane)
        share = self._shares[standing]
        return self._sending.get(lane, 0) < share.per_lane and self._used[standing] < share.together

    def _standing_of(self, lane: str) -> Standing:
        return self._standing.get(lane, Standing.UNPROVEN)

    def _remember(self, lane: str, standing: Standing) -> None:
        self._standing[lane] = standing
        self._standing.move_to_end(lane)
        if len(self._standing) > REMEMBERED:
            self._standing.popitem(last=False)
