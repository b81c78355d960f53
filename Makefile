# make run: the demo city · make test · make check · make bench · make lock · make clean
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := run
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(or $(shell command -v uv),$(wildcard $(BIN)/uv))
# No address of a registry is written into a lock.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.PHONY: run test check bench lock clean install

run: $(STAMP)
	@exec $(BIN)/hub demo

test: $(STAMP)
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile -q $(TESTS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/squawk --config squawk.toml migrations/*.sql
	$(BIN)/hadolint Dockerfile
	@if command -v npx > /dev/null; then npx --yes --package typescript@5.9 tsc -p hub/web/jsconfig.json; \
	else echo "npx is missing: the pages' types were not checked · 缺少 npx，未检查页面类型"; fi

bench: $(STAMP)
	@exec $(BIN)/python -m tests.bench $(if $(ROWS),--rows $(ROWS)) $(if $(PEERS),--peers)

lock:
	@test -n '$(UV)' || { echo 'uv is missing: pip install uv · 缺少 uv' >&2; exit 1; }
	$(COMPILE) --all-extras --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra build --extra otel --constraint requirements.lock --output-file requirements.run.lock pyproject.toml

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

install: $(STAMP)

# The product is an application in a virtual environment of its own; the stamp makes the second run fast.
$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo 'python3-venv is missing: apt install python3-venv · 缺少 python3-venv' >&2; exit 1; }
	@if [ -n '$(UV)' ]; then \
	  $(UV) pip install --python $(BIN)/python --require-hashes --requirements requirements.lock; \
	else \
	  $(BIN)/pip install --disable-pip-version-check --quiet --progress-bar on --require-hashes --requirement requirements.lock; \
	fi
	@$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $(STAMP)
