# Every target sets up what it needs; nothing but make and Python 3.11+ has to be there.
PYTHON ?= python3
BIN := .venv/bin
# Errors only: what pip says beside them is about the machine's configuration, not about Gradeline.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
LOCK := $(BIN)/uv pip compile -q --upgrade --generate-hashes --no-header --no-annotate --universal --python-version 3.11

.PHONY: setup up demo test check fix bench chaos chaos-short lock
setup: .venv/.ready

.venv/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gradeline needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@echo "installing what Gradeline needs into .venv, once; it takes a minute or two"
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements-dev.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

up: setup
	$(BIN)/gradeline up

demo: setup
	$(BIN)/gradeline demo

test: setup
	$(BIN)/python -m pytest -n 2

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	for page in cli errors fields lifecycle openapi settings; do $(BIN)/python -m docs.$$page || exit 1; done
	$(BIN)/python -m tests.failures

# The other systems of the comparison have packages of their own, which the product does without.
.venv-bench/.ready: requirements-bench.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-bench.lock
	touch $@

# Beside other systems (6 minutes), then how cost grows (15 minutes); both are measured even if the first disappoints.
bench: setup .venv-bench/.ready
	$(BIN)/python -m benchmarks.compare --write docs/performance.md; compared=$$?; \
	$(BIN)/python -m benchmarks.growth --write docs/performance.md && exit $$compared

# Every fault there is, about a quarter of an hour; the table it measures goes into docs/reliability.md.
chaos: setup
	$(BIN)/python -m tests.chaos --write docs/reliability.md

# The faults that every change is tried with, at most four minutes.
chaos-short: setup
	$(BIN)/python -m tests.chaos --short

lock: setup
	$(LOCK) requirements.in -o requirements.lock
	$(LOCK) requirements-dev.in -o requirements-dev.lock
	$(LOCK) requirements-bench.in -o requirements-bench.lock
