# make run       set up .venv and serve the explorer
# make test      set up .venv with the test tools and run every check
# make install   only the set-up of `make run`: leaves .venv/bin/rootcause
# make lint      style, types and layers
# make bench     time the engine side by side with pgmpy and pyAgrum; BENCH_ARGS="--quick" for a smoke test
# make pins      resolve the requirement files anew (needs uv)
# make clean     remove .venv and what the tools left
#
# PYTHON=python3.12 chooses the interpreter; PYTEST_ARGS="-k hematoma" goes to pytest.

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)
PYTEST_ARGS ?=
BENCH_ARGS ?=

# The loops of the engine become machine code now, not at the first question; it takes a minute, once.
COMPILE = $(BIN)/python -c 'from rootcause.engine import prepare; prepare()'

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
CHROMIUMS := chromium chromium-browser google-chrome google-chrome-stable

.PHONY: help install run test bench lint format dev browser pins clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

install: $(VENV)/.installed

run: install
	$(BIN)/rootcause serve

# pytest comes last: its summary is the last thing printed.
test: dev browser lint
	$(BIN)/pytest --numprocesses=auto --dist=loadfile --cov $(PYTEST_ARGS)

lint: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Alone on the machine, or its numbers mean nothing.
bench: dev
	PYTHONPATH=tests/support $(BIN)/python -W ignore -m tests.benchmark $(BENCH_ARGS)

format: dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

dev: $(VENV)/.installed-dev

# Stamps: a second `make` installs nothing, a change of what is required installs again.
$(VENV)/.installed: $(VENV)/.created requirements.txt pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	$(COMPILE)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created requirements-dev.txt pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements-dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	$(COMPILE)
	@touch $@

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "rootcause needs Python 3.11 or newer and found none; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { echo "rootcause needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" -V 2>/dev/null || echo 'not there')" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

# The pages are tested in a real browser. Root on a system with apt gets one; anyone else is told.
browser:
	@has_browser() { for name in $(CHROMIUMS); do command -v $$name >/dev/null 2>&1 && return; done; return 1; }; \
	if ! has_browser && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Chromium for the tests of the pages"; \
		export DEBIAN_FRONTEND=noninteractive; \
		install="apt-get install -y -qq --no-install-recommends chromium"; \
		{ $$install || { apt-get update -qq && $$install; }; } </dev/null >/dev/null || true; \
	fi; \
	has_browser || echo "No Chromium found: the tests that drive the pages in a browser are skipped. Install Chromium to run them." >&2

pins:
	uv pip compile pyproject.toml --group build -o requirements.txt $(PIN_FLAGS)
	uv pip compile pyproject.toml --group build --extra dev -c requirements.txt -o requirements-dev.txt $(PIN_FLAGS)
PIN_FLAGS := --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-header

clean:
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
