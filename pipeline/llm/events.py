"""Server-sent events out of the bytes of a reply, however they are cut; pure.

The form is that of HTML's standard (WHATWG, "Server-sent events", 9.2.6), as far as replies need it: data alone. Names
of events are left out, since all wires say in the data itself what an event is.
"""

from typing import Final

DATA: Final = b"data:"
DONE: Final = b"[DONE]"
"""What OpenAI and those who follow it say at the end, where others say nothing."""


class EventReader:
    """Reads one stream; each byte is looked at once, or twice where a chunk ends within a line."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that this chunk completes, in order."""
        if not (b"\n" in chunk or b"\r" in chunk or self._half_ended):
            self._rest.append(chunk)  # joined when the line ends: to join it with each chunk costs by the square
            return []
        text = b"".join((*self._rest, chunk))
        known = text[:-1] if text.endswith(b"\r") else text  # the other half of this line's end may follow
        end = max(known.rfind(b"\n"), known.rfind(b"\r")) + 1
        self._rest = [text[end:]]
        return self._events(text[:end].splitlines())

    def end(self) -> list[bytes]:
        """The data of an event whose last line's end nothing follows; what is not complete is no event."""
        rest, self._rest = b"".join(self._rest), []
        return self._events(rest.splitlines()) if rest.endswith(b"\r") else []

    @property
    def _half_ended(self) -> bool:
        """Whether what is left ends with what may be half of a line's end."""
        return bool(self._rest) and self._rest[-1].endswith(b"\r")

    def _events(self, lines: list[bytes]) -> list[bytes]:
        found = []
        for line in lines:
            if line.startswith(DATA):
                self._data.append(line[len(DATA) :].removeprefix(b" "))
            elif not line and self._data:
                found.append(b"\n".join(self._data))
                self._data = []
        return found
