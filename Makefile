# Everything starts here: `make serve` and `make test` need Python 3.11 or newer (with venv) and make, nothing else.

PYTHON ?= python3
BIN := .venv/bin
# A lock is a whole closure: nothing is resolved when it is installed, and `pip check` says so.
FROM_LOCK := install --quiet --no-deps --require-hashes --requirement
export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DEFAULT_GOAL := help
.PHONY: help serve test check format soak ha bench mutants coverage docs package image lock clients graphiql web clean

help:  ## Show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: .venv/runtime  ## Set everything up and run the API with demo data (HOST, PORT, WORKERS, DATABASE_URL)
	@exec $(BIN)/haru serve

test: .venv/development  ## Set everything up and run all tests (DATABASE_URL: on a server of yours, in databases and with a role of their own)
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

check: .venv/development  ## Lint, types, layers, schema drift, migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/haru schema | diff -u schema.graphql -
	$(BIN)/haru schema --player | diff -u schema.player.graphql -
	@directory=$$(mktemp -d) && chmod 711 "$$directory" && trap 'rm -rf "$$directory"' EXIT && export HARU_STATE_DIR="$$directory" \
		&& unset DATABASE_URL && $(BIN)/haru db upgrade && $(BIN)/haru db verify

format: .venv/development  ## Format the code and print the schema, and the players' part of it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/haru schema > schema.graphql
	$(BIN)/haru schema --player > schema.player.graphql

soak: .venv/development  ## The promises' tests at their full size
	$(BIN)/pytest -m soak --timeout 1800

ha: .venv/development  ## Three servers behind HAProxy, on machines of their own, under load and faults (as root, on Debian; ONLY=part of a fault's name)
	@$(BIN)/python -m tests.ha $(if $(ONLY),'$(ONLY)')

bench: .venv/development  ## Measure plays and first screens beside pgbench and a Node server, and what hostile documents cost
	$(BIN)/python -m benchmarks.play
	@if command -v npm > /dev/null; then npm ci --prefix benchmarks/peers --loglevel=error; fi
	$(BIN)/python -m benchmarks.peers
	$(BIN)/python -m benchmarks.guard

mutants: .venv/development  ## Put a sample of small faults into the code: do the tests notice? (SAMPLE, SEED, ONLY)
	nice $(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)')

coverage: .venv/development  ## Branch coverage of the tests
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered

docs: .venv/development  ## Write docs/errors.md, the list of checks and the answers in docs/examples.md again
	$(BIN)/python -m tests.docs

package: .venv/development  ## Build the wheel and the source distribution into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -t sdist

image:  ## Build the container image with buildah, from a Debian made here (as root; needs debootstrap and buildah)
	deploy/image

lock: .venv/development  ## Pin the newest releases of all dependencies
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK_OPTIONS) --group build -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK_OPTIONS) --extra otel --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --upgrade $(subst pyproject.toml,tests/clients/python/requirements.in,$(LOCK_OPTIONS)) -o tests/clients/python/requirements.lock

LOCK_OPTIONS := pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

clients: tests/clients/node_modules/.package-lock.json .venv-ariadne/requirements.lock  ## Set up the clients that tests drive (needs Node)

tests/clients/node_modules/.package-lock.json: tests/clients/package-lock.json
	npm ci --prefix tests/clients --no-audit --no-fund --loglevel=error
	@touch $@

.venv-ariadne/requirements.lock: tests/clients/python/requirements.lock
	$(PYTHON) -m venv --clear .venv-ariadne
	.venv-ariadne/bin/pip $(FROM_LOCK) $<
	.venv-ariadne/bin/pip check
	@cp $< $@

graphiql:  ## Build GraphiQL again from server/graphiql/src (needs Node)
	cd server/graphiql && npm ci && npm run build

web:  ## Build the page to play again from examples/web/src (needs Node)
	cd examples/web && npm ci && npm run build

clean:  ## Remove virtual environments, packages and local data
	rm -rf .venv .venv-ariadne .haru dist

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "haru needs Python 3.11 or newer; name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: .venv/python requirements.lock pyproject.toml
	$(BIN)/pip $(FROM_LOCK) requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/pip check
	@touch $@

.venv/development: .venv/runtime requirements-dev.lock
	$(BIN)/pip $(FROM_LOCK) requirements-dev.lock
	$(BIN)/pip check
	@touch $@
