"""Dramatiq on Redis as a doorbell: rings are fetched the moment they come, and losing one is no loss."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

import redis
import structlog
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from dramatiq.message import Message

from pipeline import telemetry
from pipeline.live.bell import NAMESPACE, WAKE_CHANNEL

log = structlog.get_logger()

HEARTBEAT_TIMEOUT_MS: Final = 20_000
LISTEN_SECONDS: Final = 5.0


class Wakes:
    """One subscription per process that tells idle consumers at once that something was rung."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._rung: dict[str, threading.Event] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="wakes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and let every waiting consumer go."""
        self._stopped.set()
        self._wake_all()

    def clear(self, queue: str) -> None:
        """Forget earlier rings of a queue; call it before looking into the queue."""
        self._event(queue).clear()

    def wake(self, queue: str) -> None:
        """Let a waiting consumer of this queue look again."""
        self._event(queue).set()

    def wait(self, queue: str, seconds: float) -> None:
        """Return when the queue is rung, or after `seconds`."""
        if not self._stopped.is_set():
            self._event(queue).wait(seconds)

    def _event(self, queue: str) -> threading.Event:
        return self._rung.setdefault(queue, threading.Event())

    def _heard(self, data: bytes) -> None:
        """Wake the queue of this name, if somebody here consumes it; others may publish anything."""
        if event := self._rung.get(data.decode(errors="replace")):
            event.set()

    def _wake_all(self) -> None:
        for event in list(self._rung.values()):
            event.set()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen_until_cut()
            except (redis.RedisError, OSError) as error:
                log.warning(telemetry.WAKES_LOST, error=type(error).__name__)
                self._stopped.wait(0.5)

    def _listen_until_cut(self) -> None:
        with self._client.pubsub() as subscription:  # type: ignore[no-untyped-call] # redis-py has no types here
            subscription.subscribe(WAKE_CHANNEL)
            while not self._stopped.is_set():
                message = subscription.get_message(timeout=LISTEN_SECONDS)
                if message is None:
                    subscription.ping()
                elif message["type"] == "message":
                    self._heard(message["data"])
                else:
                    # Just subscribed: whatever was rung before went unheard, so everyone looks once.
                    self._wake_all()


class RingConsumer(_RedisConsumer):
    """Dramatiq's consumer, except that idle it waits for a wake-up, and a broken message harms only itself."""

    def __next__(self) -> MessageProxy | None:
        try:
            if not self.message_cache:
                self.message_cache = self._fetch()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call] # untyped in dramatiq
        return self._decoded(self.message_cache.pop(0)) if self.message_cache else None

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge, and look again: there is room for one more.

        Where Redis is away this is not tried again: a ring delivered twice does no harm, and a thread that
        waits here would be missed as soon as Redis is back.
        """
        self._settle(message, super().ack)
        self.broker.wakes.wake(self.queue_name)

    def nack(self, message: MessageProxy) -> None:
        """Put a ring that no actor takes aside."""
        self._settle(message, super().nack)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Put rings back for others; where Redis is away, the sweeper rings again."""
        try:
            super().requeue(messages)  # type: ignore[no-untyped-call] # untyped in dramatiq
        except redis.RedisError as error:
            log.warning(telemetry.RING_LOST, queue=self.queue_name, error=type(error).__name__)

    def _settle(self, message: MessageProxy, settle: Callable[[MessageProxy], None]) -> None:
        try:
            settle(message)
        except (redis.RedisError, ConnectionClosed) as error:
            log.warning(telemetry.RING_UNSETTLED, queue=self.queue_name, error=type(error).__name__)

    def _fetch(self) -> list[bytes]:
        wakes: Wakes = self.broker.wakes
        wakes.clear(self.queue_name)
        room = self.prefetch - self.outstanding_message_count
        if room > 0:
            messages: list[bytes] = self.broker.do_fetch(self.queue_name, room)
            if messages:
                return messages
        wakes.wait(self.queue_name, self.timeout / 1000)
        return []

    def _decoded(self, data: bytes | None) -> MessageProxy | None:
        try:
            message: Message[Any] = Message.decode(data or b"")
            _ = message.options["redis_message_id"]
        except (DecodeError, KeyError, TypeError, ValueError) as error:
            # Not ours, or garbled: the work it may have stood for is rung again by the sweeper.
            log.warning(
                telemetry.RING_UNREADABLE, queue=self.queue_name, bytes=len(data or b""), error=type(error).__name__
            )
            self._discard(data)
            return None
        self.queued_message_ids.add(message.message_id)
        return MessageProxy(message)

    def _discard(self, data: bytes | None) -> None:
        """Acknowledge a message that can't be read, or it would count as in flight until this process ends.

        Its id is in it, if anywhere; so it is looked for by its content among what this process has fetched.
        """
        client = self.broker.client
        try:
            fetched = list(client.smembers(f"{NAMESPACE}:__acks__.{self.broker.broker_id}.{self.queue_name}"))
            contents = client.hmget(f"{NAMESPACE}:{self.queue_name}.msgs", fetched) if fetched else []
            for message_id, content in zip(fetched, contents, strict=True):
                if content == data:
                    self.broker.do_ack(self.queue_name, message_id)
        except redis.RedisError as error:
            log.warning(telemetry.RING_UNSETTLED, queue=self.queue_name, error=type(error).__name__)


class RingBroker(RedisBroker):
    """A Redis broker without Dramatiq's own retries and delays: those belong to Postgres."""

    def __init__(self, client: redis.Redis, wakes: Wakes) -> None:
        super().__init__(  # type: ignore[no-untyped-call] # untyped in dramatiq
            client=client,
            middleware=[],
            namespace=NAMESPACE,
            maintenance_chance=1_000_000,
            heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        )
        self.wakes = wakes

    @property
    def consumer_class(self) -> type[RingConsumer]:
        return RingConsumer

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue without its delay queue, which nothing of ours would ever fill."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)
