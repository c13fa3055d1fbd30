"""The event loop's clock, moved by hand: what a slow machine does to it, without a slow machine."""

import asyncio

import pytest


class LoopClock:
    """Time that goes by at once, as it does for a process that gets no CPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._ahead = 0.0

    def pass_by(self, seconds: float) -> None:
        """Everything that is due within so many seconds is due now."""
        if not self._ahead:
            loop = asyncio.get_running_loop()
            own = loop.time
            self._monkeypatch.setattr(loop, "time", lambda: own() + self._ahead)
        self._ahead += seconds
