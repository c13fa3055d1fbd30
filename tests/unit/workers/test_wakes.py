"""Waking idle consumers, on a scripted subscription."""

import threading
from typing import Any, Self

from workers.broker import Wakes


class Subscription:
    """Answers what was published, then waits until it is let go."""

    def __init__(self, *published: bytes) -> None:
        self._published = list(published)
        self.let_go = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()

    def pubsub(self) -> "Subscription":
        return self

    def subscribe(self, channel: str) -> None:
        assert channel

    def ping(self) -> None:
        pass

    def get_message(self, timeout: float) -> dict[str, Any] | None:
        if self._published:
            return {"type": "message", "data": self._published.pop(0)}
        self.let_go.wait(timeout)
        return None


def test_what_others_publish_silences_no_bell() -> None:
    """After bytes that are no text and a name that is no queue here, a ring is still heard."""
    subscription: Any = Subscription(b"\xff\xfe", b"nobody's", b"score")
    wakes = Wakes(subscription)
    wakes.clear("score")
    wakes.start()
    waited = threading.Thread(target=wakes.wait, args=("score", 60), daemon=True)
    waited.start()
    waited.join(10)
    assert not waited.is_alive()
    wakes.stop()
    subscription.let_go.set()
