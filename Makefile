# Everything starts here: `make` lists what can be done. Needs Python 3.11 or newer, and a package registry.

PYTHON ?=
ARGS ?=
TESTS ?= tests
# One more than there are cores: many tests wait for servers and processes, which another one may use.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
LOCK_OPTIONS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH := .venv-bench
LOCKS := requirements/production.txt requirements/development.txt requirements/otel.txt requirements/bench.txt
BROKERS = $(if $(BURSAR_TEST_AMQP_URL),tests/brokers/test_rabbit.py) \
  $(if $(BURSAR_TEST_SENTINEL_URL),tests/brokers/test_sentinel.py) \
  $(if $(BURSAR_TEST_PGBOUNCER_URL),tests/brokers/test_pgbouncer.py)
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
.PHONY: help run up test test-brokers explore gate install check format bench bench-install bench-test bench-run bench-render lock audit-deps clean

help: ## List what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

run: install ## The demo: payouts through a bank that loses replies, and a webinar that sells out
	$(BIN)/bursar demo $(ARGS)

up: install ## Servers of this folder's own and every process, until Ctrl-C
	$(BIN)/bursar up $(ARGS)

test: install ## All tests, on servers they start themselves (TESTS=path, ARGS=options, JOBS=processes)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(TESTS) $(ARGS)

test-brokers: install ## Against RabbitMQ, Redis Sentinel, PgBouncer: those of BURSAR_TEST_{AMQP,SENTINEL,PGBOUNCER}_URL
	@test -n "$(strip $(BROKERS))" || { echo "Set BURSAR_TEST_AMQP_URL, BURSAR_TEST_SENTINEL_URL or BURSAR_TEST_PGBOUNCER_URL." >&2; exit 2; }
	$(BIN)/python -m pytest -n 0 $(BROKERS) $(ARGS)

explore: install ## Every crash point, race in every order of few switches, state of the model: minutes to an hour
	BURSAR_TEST_EXPLORE=full $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -o faulthandler_timeout=0 \
	  $(wildcard tests/crash tests/races tests/models) $(ARGS)

gate: install ## docs/release-gate.md, from a run of the crash explorer: fails where anything is not proven
	mkdir -p $(VENV)/gate
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal tests/crash --junitxml $(VENV)/gate/crash.xml \
	  -o junit_family=xunit1 $(ARGS)
	$(BIN)/python -m tests.gate $(VENV)/gate/crash.xml

install: $(INSTALLED) ## The locked environment in .venv, with .venv/bin/bursar

check: install ## Format, lint, types, import rules, dead code, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/vulture
	$(BIN)/deptry .

format: install ## Put the code into the house's form
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

bench: install ## The benchmarks, as tables with ratios
	$(BIN)/bursar bench all $(ARGS)

bench-install: $(BENCH)/.installed ## The peers and what draws pictures, in .venv-bench

bench-test: bench-install ## Each peer with 50 payouts, and every part of the comparison, small
	$(BENCH)/bin/python -m pytest --timeout 600 tests/bench/peers $(ARGS)

bench-run: bench-install ## Bursar and its peers in turns (ARGS="PART… --rounds N"); what is measured already is kept
	$(BENCH)/bin/python -m tests.bench run $(ARGS)

bench-render: bench-install ## Tables and pictures in docs/benchmarks from what was measured
	$(BENCH)/bin/python -m tests.bench render $(ARGS)

lock: install ## Bring the locks to pyproject.toml (LOCK_OPTIONS=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --group build --output-file requirements/production.txt
	$(COMPILE) pyproject.toml --group build --group dev --group otel --output-file requirements/development.txt
	$(COMPILE) pyproject.toml --group build --group otel --constraint requirements/development.txt \
	  --output-file requirements/otel.txt
	$(COMPILE) pyproject.toml --group build --group bench --constraint requirements/development.txt \
	  --output-file requirements/bench.txt

audit-deps: install ## Known weaknesses of the locked versions, asked of a public service
	@mkdir -p build && rm -f build/audit-deps.txt
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip $(addprefix -r ,$(LOCKS)) \
	  --output build/audit-deps.txt $(ARGS) || { \
	  if test -s build/audit-deps.txt; then cat build/audit-deps.txt >&2; else \
	    echo "The public service did not answer for every package, so this proves nothing. It must be reached," >&2; \
	    echo "or another one asked: ARGS='--vulnerability-service osv'." >&2; fi; exit 1; }

clean: ## Remove the environment and every cache; data of .bursar stays
	rm -rf $(VENV) $(BENCH) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info build

$(INSTALLED): requirements/development.txt pyproject.toml
	@found=; \
	for python in "$(PYTHON)" python3 python3.13 python3.12 python3.11; do \
	  test -n "$$python" || continue; \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then found="$$python"; break; fi; \
	  if test "$$python" = "$(PYTHON)"; then break; fi; \
	done; \
	if test -z "$$found"; then \
	  echo "Bursar needs Python 3.11 or newer; $${PYTHON:-python3} is: $$("$${PYTHON:-python3}" --version 2>&1 || true)." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  "$$found" -m venv --clear $(VENV) || { \
	    echo "Python's venv module is missing or incomplete (on Debian: the package python3-venv)." >&2; exit 1; }; \
	fi
	@echo "Installing the locked environment into $(VENV) …"
	@$(PIP) install --quiet --require-hashes -r requirements/development.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable . >$(VENV)/editable.log 2>&1 \
	  || { cat $(VENV)/editable.log >&2; exit 1; }
	@$(BIN)/python -m compileall -q -j 0 $(CODE)
	@touch $(INSTALLED)

$(BENCH)/.installed: requirements/bench.txt pyproject.toml | $(INSTALLED)
	@echo "Installing the benchmarks' environment into $(BENCH) …"
	@$(BIN)/python -m venv --clear $(BENCH)
	@$(BENCH_PIP) install --quiet --require-hashes -r requirements/bench.txt
	@$(BENCH_PIP) install --quiet --no-deps --no-build-isolation --editable . >$(BENCH)/editable.log 2>&1 \
	  || { cat $(BENCH)/editable.log >&2; exit 1; }
	@touch $(BENCH)/.installed
