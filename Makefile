# Everything starts here: `make serve` and `make test` need Python 3.11 or newer (with venv) and make, nothing else.

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help serve test check format soak bench coverage docs lock clients graphiql web clean

help:  ## Show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: .venv/runtime  ## Set everything up and run the API with demo data (HOST, PORT, WORKERS, DATABASE_URL)
	@exec $(BIN)/haru serve

test: .venv/development  ## Set everything up and run all tests (DATABASE_URL: on a server of yours, in databases of their own)
	$(BIN)/pytest

check: .venv/development  ## Lint, types, layers, schema drift, migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/haru schema | diff -u schema.graphql -
	@directory=$$(mktemp -d) && chmod 711 "$$directory" && trap 'rm -rf "$$directory"' EXIT && export HARU_STATE_DIR="$$directory" \
		&& unset DATABASE_URL && $(BIN)/haru db upgrade && $(BIN)/haru db verify

format: .venv/development  ## Format the code and print the schema
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/haru schema > schema.graphql

soak: .venv/development  ## The promises' tests at their full size
	$(BIN)/pytest -m soak

bench: .venv/development  ## Measure plays per second beside pgbench, and what hostile documents cost
	$(BIN)/python -m benchmarks.play
	$(BIN)/python -m benchmarks.guard

coverage: .venv/development  ## Branch coverage of the tests
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered

docs: .venv/development  ## Write docs/errors.md and the answers in docs/examples.md again
	$(BIN)/python -m tests.docs

lock: .venv/development  ## Pin the newest releases of all dependencies
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK_OPTIONS) --group build -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK_OPTIONS) --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --upgrade $(subst pyproject.toml,tests/clients/python/requirements.in,$(LOCK_OPTIONS)) -o tests/clients/python/requirements.lock

LOCK_OPTIONS := pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

clients: tests/clients/node_modules/.package-lock.json .venv-ariadne/requirements.lock  ## Set up the clients that tests drive (needs Node)

tests/clients/node_modules/.package-lock.json: tests/clients/package-lock.json
	npm ci --prefix tests/clients --no-audit --no-fund --loglevel=error
	@touch $@

.venv-ariadne/requirements.lock: tests/clients/python/requirements.lock
	$(PYTHON) -m venv --clear .venv-ariadne
	.venv-ariadne/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@cp $< $@

graphiql:  ## Build GraphiQL again from server/graphiql/src (needs Node)
	cd server/graphiql && npm ci && npm run build

web:  ## Build the page to play again from examples/web/src (needs Node)
	cd examples/web && npm ci && npm run build

clean:  ## Remove the virtual environment and local data
	rm -rf .venv .venv-ariadne .haru

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "haru needs Python 3.11 or newer; name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: .venv/python requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

.venv/development: .venv/runtime requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@touch $@
