"""`python -m workers`: one worker process, all stages."""

import asyncio
import gc
import os
import sys

import uvloop

# Dramatiq reads this when it is imported: how soon its consumers come back after Redis was away.
os.environ.setdefault("dramatiq_restart_delay", "500")


def main() -> None:
    from pipeline import telemetry  # noqa: PLC0415 - after the line above
    from pipeline.lifecycle import Stage  # noqa: PLC0415 - after the line above
    from pipeline.settings import read_settings  # noqa: PLC0415 - after the line above
    from workers.process import run_worker  # noqa: PLC0415 - after the line above

    # Dramatiq's threads hand work to the event loop; at the usual 5 ms they would wait for it that long.
    sys.setswitchinterval(0.0005)
    # What is loaded by now stays; looking through it for garbage again and again took a fifth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    settings = read_settings()
    telemetry.configure(settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_worker(settings, tuple(Stage)))


if __name__ == "__main__":
    main()
