# Needs Python 3.11 or later and make; everything else comes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
SERVER := $(VENV)/.server
READY := $(VENV)/.ready
SAMPLES := examples/data/.ready
SOURCES := pyproject.toml hatch_build.py package-lock.json requirements/build.txt
# What others have made comes as `make constraints` found it, or not at all.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
EDITABLE := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	--build-constraint requirements/build.txt --editable .

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install run test test-all bench bench-large choosing reference docs types words pictures constraints licences soak fuzz lint wheel clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv with Pooldeck (editable) and the tools for its development

run: $(SERVER) $(SAMPLES) ## Serve the examples on http://127.0.0.1:8000 (POOLDECK_PORT=... for another port)
	@$(BIN)/python -m examples.tour http://127.0.0.1:$${POOLDECK_PORT:-8000} & tour=$$!; trap : INT; \
	$(BIN)/pooldeck serve --config examples/pooldeck.toml; code=$$?; \
	kill $$tour 2> /dev/null; exit $$code

test: $(READY) ## Run the tests, side by side (one of them: .venv/bin/pytest tests/pooldeck/test_launcher.py)
	$(BIN)/python -m tests -n auto -m 'not soak'

test-all: $(READY) ## Run what `make test` leaves out: the tests that take long by nature
	$(BIN)/python -m tests -n auto -m 'soak and not endurance'

bench: $(READY) ## Measure throughput and latency on this machine
	$(BIN)/python -m bench

bench-large: $(READY) ## The same of a store with eleven million tasks, in half an hour and 10 GB (TASKS=100000: fewer)
	$(BIN)/python -m bench.large --tasks $${TASKS:-10000000}

choosing: $(READY) ## Try the advice on functions of known nature, and write docs/choosing.md anew
	$(BIN)/python -m bench.choosing --write docs/choosing.md

reference: $(READY) ## Bring the tables of docs/reference.md up to date with the code
	$(BIN)/python -m tests.support.reference

docs: $(READY) ## Build the documentation as a site into build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

types: $(READY) ## Bring the tables of docs/types.md up to date with the code
	$(BIN)/python -m tests.support.typed

words: $(READY) ## Bring the catalogues of translations up to date with the texts in use
	$(BIN)/python -m tests.support.catalogues

pictures: $(READY) $(SAMPLES) ## Take the pictures of README and docs anew, from a server that works
	$(BIN)/python -m tests.support.pictures build/pictures

constraints: $(READY) ## Take the newest releases that fit together, with their hashes, into requirements/
	$(BIN)/python -m tests.support.locks

licences: $(READY) ## Write docs/licences.md anew
	$(BIN)/python -m tests.support.licences

soak: $(READY) ## Do bad things to a server for ten minutes (SECONDS=60 SEED=1), kill it 500 times (ROUNDS=50), then hosts for 10,000 calls (CALLS=1000)
	$(BIN)/python -m tests.faults.soak
	@# The tests bound their own time, as they need more than others get.
	POOLDECK_ROUNDS=$(or $(ROUNDS),500) $(BIN)/python -m pytest -o faulthandler_timeout=12000 -m soak tests/faults/test_killed_at_random.py
	POOLDECK_CALLS=$(or $(CALLS),10000) $(BIN)/python -m pytest -o faulthandler_timeout=12000 -m endurance tests

fuzz: $(READY) ## Send a server anything at all for a minute (SECONDS=600 SEED=1), and see what does harm
	$(BIN)/python -m tests.fuzz

lint: $(READY) ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: $(READY) ## Build dist/pooldeck-*.tar.gz and, from it, the wheel
	$(BIN)/python -m build

clean: ## Remove what the other targets made, except the database of `make run`
	rm -rf $(VENV) dist build/site examples/data static/vendor .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Pooldeck needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Pooldeck needs Python 3.11 or later, and $(PYTHON) is `$(PYTHON) --version`. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --requirement requirements/pip.txt
	@touch $@

# Without compiling: the first start compiles what is imported, which is half of what is there.
$(SERVER): $(SOURCES) requirements/examples.txt | $(MADE)
	@echo "Installing the server into it, and the browser code into static/vendor; once, within a minute ..."
	@$(PIP) --no-compile --requirement requirements/examples.txt
	@$(EDITABLE)
	@touch $@

$(READY): $(SOURCES) requirements/dev.txt | $(MADE)
	@echo "Installing the server and the tools for its development into $(VENV) ..."
	@$(PIP) --requirement requirements/dev.txt
	@$(EDITABLE)
	@touch $(SERVER) $@

$(SAMPLES): examples/samples.py | $(SERVER)
	@$(BIN)/python -m examples.samples examples/data
	@touch $@
