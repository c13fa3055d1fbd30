"""The API and the workers as programs, as far as they get without servers."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["api", "workers"])
@pytest.mark.parametrize(
    ("variable", "value"), [("GRADELINE_LOG_LEVEL", "loud"), ("GRADELINE_REDIS_URL", ""), ("GRADELINE_PROT", "8000")]
)
def test_a_program_that_cannot_start_says_why_in_one_line(module: str, variable: str, value: str) -> None:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GRADELINE_")}
    environment = {**kept, "GRADELINE_DATABASE_URL": "postgresql://nobody@127.0.0.1/none", variable: value}
    program = subprocess.run(
        [sys.executable, "-m", module], env=environment, capture_output=True, text=True, check=False
    )
    assert program.returncode == 1
    assert program.stderr.startswith("Error: ")
    assert variable in program.stderr
    assert program.stderr.count("\n") == 1
