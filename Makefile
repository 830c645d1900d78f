# make demo   shows the product          make test   passes all tests
# make setup  only installs              make check  lint and test
# A clean clone needs python3 (3.11 or newer), make and package registries; everything else is fetched here.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

BIN  := .venv/bin
OURS := vtid workflows activities api worker.py tests scripts
ARGS ?=
# Test files at a time. Many tests wait for a real process, so two cores are busy with two. JOBS=0 runs one after another, for a debugger.
JOBS ?= 2
FUZZ ?= 5000

# A stamp says what was installed; it is older than the lock file when something new is to be installed.
PYTHON_STAMP   := .venv/.installed
LINKED_STAMP   := .venv/.linked
PAGE_STAMP     := api/ui/vendor/vendor.json
CHROMIUM_STAMP := .venv/.chromium

.PHONY: help setup demo test lint check bench screenshots clean

help:
	@sed -n '1,3s/^# //p' Makefile

setup: $(LINKED_STAMP) $(PAGE_STAMP)

demo: setup
	@$(BIN)/vtid demo $(ARGS)

test: setup $(CHROMIUM_STAMP)
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup
	$(BIN)/ruff format --check $(OURS)
	$(BIN)/ruff check $(OURS)
	$(BIN)/mypy $(OURS)
	$(BIN)/lint-imports
	@sh scripts/check_page.sh

check: lint test

bench: setup
	@$(BIN)/python -m tests.bench $(ARGS)
	@$(BIN)/python -m tests.fuzz --cases $(FUZZ)

# The pictures of docs/ and the README, taken from the demo.
screenshots: setup $(CHROMIUM_STAMP)
	@$(BIN)/python scripts/screenshots.py

clean:
	rm -rf .venv node_modules api/ui/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(PYTHON_STAMP): requirements.lock scripts/install.sh
	@sh scripts/install.sh
	@touch $@

$(LINKED_STAMP): pyproject.toml $(PYTHON_STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(PAGE_STAMP): package-lock.json scripts/vendor.py scripts/npm.sh $(PYTHON_STAMP)
	@sh scripts/npm.sh ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(BIN)/python scripts/vendor.py

$(CHROMIUM_STAMP): scripts/chromium.sh $(PYTHON_STAMP)
	@if sh scripts/chromium.sh; then touch $@; fi
