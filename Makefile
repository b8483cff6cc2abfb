# Everything starts here: `make` lists what can be done. Needs Python 3.11 or newer, and a package registry.

PYTHON ?=
ARGS ?=
TESTS ?= tests
JOBS ?= 2
LOCK_OPTIONS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH := .venv-bench
LOCKS := requirements/production.txt requirements/development.txt requirements/bench.txt
CODE := domain db jobs schedules workers tests

# Settings of a user's own pip that would send packages elsewhere do not apply here; registries and proxies do.
PIP_SETTINGS := env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PIP_CONSTRAINT -u PIP_REQUIREMENT PIP_USER=0 \
  PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
PIP := $(PIP_SETTINGS) $(BIN)/python -m pip
BENCH_PIP := $(PIP_SETTINGS) $(BENCH)/bin/python -m pip
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
  --no-header --no-annotate --no-config --no-emit-index-url --no-emit-find-links $(LOCK_OPTIONS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run up test explore install check format bench bench-install bench-test bench-run bench-render lock audit-deps clean

help: ## List what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

run: install ## The demo: 2,000 payouts through a bank that loses replies, each paid once
	$(BIN)/bursar demo $(ARGS)

up: install ## Servers of this folder's own and every process, until Ctrl-C
	$(BIN)/bursar up $(ARGS)

test: install ## All tests, on servers they start themselves (TESTS=path, ARGS=options, JOBS=processes)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(TESTS) $(ARGS)

explore: install ## Every crash point, race in every order of few switches, state of the model: minutes to an hour
	BURSAR_TEST_EXPLORE=full $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -o faulthandler_timeout=0 \
	  $(wildcard tests/crash tests/races tests/models) $(ARGS)
