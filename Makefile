# One word runs the house. `make` alone lists the words.

VENV := .venv
PY   := $(VENV)/bin/python
PIP  := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all lint bench docs clean

help:  ## list the words
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

install: $(VENV)/.demo  ## make .venv and install fabrica into it

demo: $(VENV)/.demo  ## the main job on a real table: the patients of the NAFLD study
	@mkdir -p demo
	@$(PY) examples/nafld.py demo/nafld1.csv
	$(VENV)/bin/fabrica synth demo/nafld1.csv -o demo/out --target status
	@echo "The report: file://$(CURDIR)/demo/out/report.html"

test: $(VENV)/.dev  ## the test suite
	$(PY) -m pytest -n 2 -m "not slow"

test-all: $(VENV)/.dev  ## the test suite with the proofs that take long
	HYPOTHESIS_PROFILE=search $(PY) -m pytest -n 2

lint: $(VENV)/.dev  ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

docs: $(VENV)/.dev  ## bring the tables of the docs up to date and run what the docs say
	$(PY) tests/docs/tables.py
	$(PY) -m pytest tests/docs

bench: $(VENV)/.dev  ## measure speed, memory and quality; prints the table of the README
	@for one in fidelity speed closeness imputation conditions scenarios rules boost fairness trade; do \
	  $(PY) benchmarks/$$one.py || exit 1; \
	done

clean:  ## remove .venv and what was made
	rm -rf $(VENV) demo out build dist .pytest_cache .mypy_cache .ruff_cache

# ---- the virtual environment: made once, again when what it depends on changes

$(PY):
	@for p in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  if $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "making $(VENV) with $$($$p --version)"; exec $$p -m venv $(VENV); \
	  fi; \
	done; \
	echo "fabrica needs Python 3.11 or later with venv: install it, or say where it is: make PYTHON=/path/to/python3" >&2; \
	exit 1

$(VENV)/.demo: pyproject.toml constraints.txt | $(PY)
	$(PIP) --editable ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(PY)
	$(PIP) --editable ".[dev]"
	@touch $@ $(VENV)/.demo
