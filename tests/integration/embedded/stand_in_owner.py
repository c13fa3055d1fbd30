"""Starts both servers in the home it is given, says how to reach them, and waits to be ended."""

import json
import signal
import sys
from pathlib import Path

from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey

if __name__ == "__main__":
    home = Path(sys.argv[1])
    with EmbeddedPostgres(home, fsync=False) as postgres, EmbeddedValkey(home) as valkey:
        said = {
            "database_url": postgres.url,
            "redis_url": valkey.url,
            "pids": [postgres.pid, valkey.pid],
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        signal.pause()
