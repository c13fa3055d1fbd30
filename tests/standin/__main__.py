"""`python -m tests.standin --port 0 --script FILE`: the stand-in as a process of its own; prints its URL as JSON."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

import msgspec

from tests.standin.script import Script, read_script
from tests.standin.server import standing_in


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--script", type=Path, help="a JSON file; see tests/standin/script.py")
    arguments = parser.parse_args()
    script = read_script(msgspec.json.decode(arguments.script.read_bytes())) if arguments.script else Script()
    asyncio.run(serve(arguments.port, script))


async def serve(port: int, script: Script) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with standing_in(script, port) as stand_in:
        print(json.dumps({"url": stand_in.url, "port": stand_in.port}), flush=True)  # noqa: T201
        await stop.wait()


if __name__ == "__main__":
    main()
