"""A sliding window that counts exactly enough: time is cut into slots, and a slot counts until all of it left.

So no window of the full length ever holds more than the limit; room may come back up to one slot late.
`pipeline/live/limit.py` does the same in Redis.
"""

from collections import OrderedDict, deque
from typing import Final

import msgspec

SLOTS: Final = 60


class Charge(msgspec.Struct, frozen=True):
    """One unit asked of a limit: at most `limit` per `window_seconds` for whatever `key` names."""

    key: str
    limit: int
    window_seconds: int


class Room(msgspec.Struct, frozen=True):
    """What a limit says: `left` units remain, and more comes back in `seconds` (0 where nothing is used)."""

    left: int
    seconds: int


class Window:
    """The units of one key, by slot."""

    def __init__(self) -> None:
        self.slots: deque[list[int]] = deque()  # [number of the slot, units in it]
        self.total = 0

    def forget(self, oldest: int) -> None:
        """Drop the slots before `oldest`."""
        while self.slots and self.slots[0][0] < oldest:
            self.total -= self.slots.popleft()[1]

    def add(self, slot: int) -> None:
        """Count one unit in the newest slot."""
        if not self.slots or self.slots[-1][0] != slot:
            self.slots.append([slot, 0])
        self.slots[-1][1] += 1
        self.total += 1

    def give_back(self, slot: int) -> None:
        """Uncount one unit of the newest slot or the one before it, if there is one."""
        if self.slots and self.slots[-1][0] >= slot - 1 and self.slots[-1][1] > 0:
            self.slots[-1][1] -= 1
            self.total -= 1


class LocalCounter:
    """Limits kept by one process alone, for when Redis is away: `pipeline.ports.Counter` without a server."""

    def __init__(self, most_keys: int = 50_000) -> None:
        self._most_keys = most_keys
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def take(self, charges: tuple[Charge, ...], now_ms: int) -> tuple[bool, list[Room]]:
        """Take one unit of each or of none, and what each has left."""
        slots = [now_ms // width_ms(charge) for charge in charges]
        windows = [self._window(charge.key) for charge in charges]
        for window, slot in zip(windows, slots, strict=True):
            window.forget(slot - SLOTS)
        taken = all(w.total < charge.limit for w, charge in zip(windows, charges, strict=True))
        if taken:
            for window, slot in zip(windows, slots, strict=True):
                window.add(slot)
        return taken, [room_in(w, charge, now_ms) for w, charge in zip(windows, charges, strict=True)]

    def give_back(self, charges: tuple[Charge, ...], now_ms: int) -> None:
        """Return what was taken for nothing."""
        for charge in charges:
            self._window(charge.key).give_back(now_ms // width_ms(charge))

    def _window(self, key: str) -> Window:
        window = self._windows.setdefault(key, Window())
        self._windows.move_to_end(key)
        if len(self._windows) > self._most_keys:
            self._windows.popitem(last=False)
        return window


def width_ms(charge: Charge) -> int:
    """How long a slot is, rounded up: all slots together must not be shorter than the window."""
    return -(-charge.window_seconds * 1000 // SLOTS)


def room_in(window: Window, charge: Charge, now_ms: int) -> Room:
    """What is left, and when the oldest units leave the window."""
    used = next((slot for slot, units in window.slots if units > 0), None)
    if used is None:
        return Room(charge.limit - window.total, 0)
    back_ms = (used + 1 + SLOTS) * width_ms(charge) - now_ms
    return Room(max(0, charge.limit - window.total), -(-back_ms // 1000))
