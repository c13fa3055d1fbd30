"""Stands in for a worker: waits for SIGTERM and says how it ended, or ignores it where told to."""

import os
import signal
import sys


def on_sigterm(*_: object) -> None:
    if os.environ.get("STAND_IN") != "worker ignores SIGTERM":
        sys.stdout.write("stopped gracefully\n")
        sys.exit(0)
    sys.stdout.write("ignored SIGTERM\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, on_sigterm)
    while True:
        signal.pause()
