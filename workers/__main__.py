"""`python -m workers [--stages score,deliver] [--concurrency N]`: one worker process."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Sequence

import uvloop

from pipeline.errors import GradelineError

# Dramatiq reads this when it is imported: how soon its consumers come back after Redis was away.
os.environ.setdefault("dramatiq_restart_delay", "500")


def main(arguments: Sequence[str]) -> None:
    from pipeline import telemetry  # noqa: PLC0415 - after the line above
    from pipeline.lifecycle import Stage  # noqa: PLC0415 - after the line above
    from pipeline.settings import read_settings  # noqa: PLC0415 - after the line above
    from workers.process import run_worker  # noqa: PLC0415 - after the line above

    # Dramatiq's threads hand work to the event loop; at the usual 5 ms they would wait for it that long.
    sys.setswitchinterval(0.0005)
    # What is loaded by now stays; looking through it for garbage again and again took a fifth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    asked = parser().parse_args(arguments)
    settings = read_settings()
    telemetry.configure(settings.log_level, settings.log_format)
    # Who hands in waits for an answer; who waits for a score has one already. Before any thread is started.
    os.nice(settings.worker_nice)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stages = tuple(queue for queue in asked.stages if isinstance(queue, Stage))
        besides = tuple(queue for queue in asked.stages if not isinstance(queue, Stage))
        runner.run(run_worker(settings, stages, asked.concurrency, besides=besides))


def parser() -> argparse.ArgumentParser:
    """What may be said on the command line; `gradeline worker` says it in the same words."""
    from pipeline.execution import DELIVER, GENERATE  # noqa: PLC0415 - after the line above
    from pipeline.lifecycle import Stage  # noqa: PLC0415 - after the line above

    queues: dict[str, Stage | str] = {**{stage.value: stage for stage in Stage}, DELIVER: DELIVER, GENERATE: GENERATE}

    def stages(text: str) -> tuple[Stage | str, ...]:
        try:
            return tuple(dict.fromkeys(queues[name.strip()] for name in text.split(",")))
        except KeyError as unknown:
            raise argparse.ArgumentTypeError(f"{unknown} is none of {', '.join(queues)}") from None

    made = argparse.ArgumentParser(prog="python -m workers", allow_abbrev=False)
    made.add_argument("--stages", type=stages, default=tuple(queues.values()))
    made.add_argument("--concurrency", type=int, default=None)
    return made


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except GradelineError as error:
        sys.exit(f"Error: {error}")
