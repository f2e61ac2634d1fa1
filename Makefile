# Two commands: `make run` and `make test`.  Everything else is for people who change the code.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help run demo test coverage check fix bench soak mutants pictures clean

help:
	@echo "make run    start the monitor on 127.0.0.1 with demo data on first use"
	@echo "make demo   throw the demo database away and make a fresh one"
	@echo "make test   set up what the tests need (PostgreSQL, a browser) and run all of them"
	@echo "make coverage  the same with branch coverage of monitor/ and db/"
	@echo "make check  formatting, lint, types"
	@echo "make fix    put formatting and simple lint right"
	@echo "make pictures  take the README's pictures anew"
	@echo "make bench  measure speed; writes build/bench.json (ONLY=name for one figure)"
	@echo "make mutants  slips in the rules, one at a time, and who notices (ONLY=\"schedule scales\" for some)"
	@echo "make soak   1,000 faults under entries; writes build/soak.json, goes on after a stop (FAULTS=n)"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "The monitor needs Python 3.11 or newer: make run PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python cannot make a virtual environment: install the venv module of your Python (Debian: python3-venv)."; exit 1; }

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "Installing the application (about half a minute the first time) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt || \
	  { echo "The packages of requirements.txt could not be installed: is a package registry reachable?"; exit 1; }
	@touch $@

$(VENV)/.tests: requirements.txt tests/requirements.txt | $(VENV)/bin/python
	@echo "Installing what the tests need ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt || \
	  { echo "The packages of tests/requirements.txt could not be installed: is a package registry reachable?"; exit 1; }
	@touch $@ $(VENV)/.runtime

run: $(VENV)/.runtime
	@$(PY) -m monitor serve --demo-if-empty $(if $(PORT),--port $(PORT))

demo: $(VENV)/.runtime
	@$(PY) -m monitor demo

# Two at a time, each with its own servers and databases; a file stays with one of them.
# In the order of the folders: the browser first, so that its longest files are not the last.
PYTEST := $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.tests
	@$(PY) tests/setup_machine.py
	$(PYTEST) $(ARGS)

coverage: $(VENV)/.tests
	@$(PY) tests/setup_machine.py
	@mkdir -p build
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=json:build/coverage.json $(ARGS)

check: $(VENV)/.tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

fix: $(VENV)/.tests
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(VENV)/.tests
	@$(PY) tests/setup_machine.py
	@mkdir -p build
	$(PY) -m tests.benchmarks $(ONLY)

soak: $(VENV)/.tests
	@$(PY) tests/setup_machine.py
	@mkdir -p build
	$(PY) -m tests.soak $(FAULTS)

# An environment of its own: what makes the slips is no part of the tests.
MUTANTS := build/mutants-venv

$(MUTANTS)/.ready: requirements.txt tests/requirements.txt tests/mutants/requirements.txt
	@echo "Installing what mutation testing needs ..."
	@mkdir -p build && $(PYTHON) -m venv $(MUTANTS)
	@$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/mutants/requirements.txt || \
	  { echo "The packages of tests/mutants/requirements.txt could not be installed: is a package registry reachable?"; exit 1; }
	@touch $@

mutants: $(MUTANTS)/.ready
	$(MUTANTS)/bin/python tests/mutants/run.py $(ONLY)

pictures: $(VENV)/.tests
	@$(PY) tests/setup_machine.py
	$(PY) -m pytest -q tests/browser/test_pictures.py
	@mkdir -p docs/pictures && cp build/pictures/*.png docs/pictures/

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .coverage htmlcov
