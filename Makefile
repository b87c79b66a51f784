# Needs Python 3.11 or later and make; everything else comes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
SERVER := $(VENV)/.server
READY := $(VENV)/.ready
SAMPLES := examples/data/.ready

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install run test test-all bench choosing words pictures soak lint wheel clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv with Pooldeck (editable) and the tools for its development

run: $(SERVER) $(SAMPLES) ## Serve the examples on http://127.0.0.1:8000 (POOLDECK_PORT=... for another port)
	@$(BIN)/python -m examples.tour http://127.0.0.1:$${POOLDECK_PORT:-8000} &
	$(BIN)/pooldeck serve --config examples/pooldeck.toml

test: $(READY) ## Run the tests, side by side (one of them: .venv/bin/pytest tests/pooldeck/test_launcher.py)
	$(BIN)/pytest -n auto -m 'not soak'

test-all: $(READY) ## Run what `make test` leaves out: the tests that take long by nature
	$(BIN)/pytest -n auto -m soak

bench: $(READY) ## Measure throughput and latency on this machine
	$(BIN)/python -m bench

choosing: $(READY) ## Try the advice on functions of known nature, and write docs/choosing.md anew
	$(BIN)/python -m bench.choosing --write docs/choosing.md

words: $(READY) ## Bring the catalogues of translations up to date with the texts in use
	$(BIN)/python -m tests.support.catalogues

pictures: $(READY) $(SAMPLES) ## Take the pictures of README and docs anew, from a server that works
	$(BIN)/python -m tests.support.pictures build/pictures

soak: $(READY) ## Do bad things to a server for ten minutes (SECONDS=60 SEED=1), and see what holds
	$(BIN)/python -m tests.faults.soak

lint: $(READY) ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: $(READY) ## Build dist/pooldeck-*.tar.gz and, from it, the wheel
	$(BIN)/python -m build

clean: ## Remove what the other targets made, except the database of `make run`
	rm -rf $(VENV) dist examples/data static/vendor .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Pooldeck needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Pooldeck needs Python 3.11 or later, and $(PYTHON) is `$(PYTHON) --version`. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Without compiling: the first start compiles what is imported, which is half of what is there.
$(SERVER): pyproject.toml hatch_build.py package-lock.json | $(MADE)
	@echo "Installing the server into it, and the browser code into static/vendor; once, within a minute ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[server,images]'
	@touch $@

$(READY): pyproject.toml hatch_build.py package-lock.json | $(MADE)
	@echo "Installing the server and the tools for its development into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --group dev --editable '.[server,images]'
	@touch $(SERVER) $@

$(SAMPLES): examples/samples.py | $(SERVER)
	@$(BIN)/python -m examples.samples examples/data
	@touch $@
