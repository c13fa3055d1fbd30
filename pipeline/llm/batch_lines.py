"""Files of a batch's replies, a line each: read as they come, since nobody need hold thousands of replies; pure."""

from collections.abc import AsyncIterator
from typing import Final

from pipeline.errors import Unavailable

MOST_LINE_BYTES: Final = 8 << 20
MOST_FILE_BYTES: Final = 1 << 30
"""More than all replies of a batch come to; who goes on and on would keep every other batch from being looked at."""


async def lines_in(
    chunks: AsyncIterator[bytes], *, most_line_bytes: int = MOST_LINE_BYTES, most_bytes: int = MOST_FILE_BYTES
) -> AsyncIterator[bytes]:
    """The lines that are not empty, without their ends; raises `Unavailable` where it is no file of replies."""
    rest, held, size = list[bytes](), 0, 0
    async for chunk in chunks:
        first, *more = chunk.split(b"\n")
        rest.append(first)
        held, size = held + len(first), size + len(chunk)
        if size > most_bytes or held > most_line_bytes:
            raise Unavailable("The file of a batch is longer than its replies can be.")
        for line in more:
            yield b"".join(rest)
            rest, held = [line], len(line)
    yield b"".join(rest)
