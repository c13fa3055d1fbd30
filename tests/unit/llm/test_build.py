"""Which provider a route gets, and when an SDK is loaded."""

import subprocess
import sys

import pytest

LOADED = """
import sys
from pipeline.exchange import Route
from pipeline.llm.build import build_provider

def loaded():
    return sorted(set(sys.modules) & {"openai", "anthropic"})

before = loaded()
build_provider(Route("p", sys.argv[1], "m", "a"), "sk-key", None)
print(before, loaded())
"""


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_the_sdk_of_a_route_is_loaded_when_it_is_built_and_no_other(kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, kind], capture_output=True, text=True, check=True)
    assert done.stdout == f"[] ['{kind}']\n"
