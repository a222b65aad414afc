# Set-up and everyday commands; `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
# The line that is installed there, until another is named.
MMF ?= $(or $(patsubst $(VENV)/.ready-%,%,$(wildcard $(VENV)/.ready-rc10 $(VENV)/.ready-main)),rc10)
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.ready-$(MMF)
# Removed by a new set-up, so that the tools follow a new environment.
CHECKERS := $(VENV)/.ready-to-check

$(if $(filter rc10 main,$(MMF)),,$(error MMF=$(MMF): expected rc10 or main))

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check defaults docs clean

help:
	@echo "make demo    train and score CMSBERT-CLR on a small synthetic corpus (no download of data)"
	@echo "make test    run the tests (offline)"
	@echo "make setup   only create the environment in $(VENV); the others do so when needed"
	@echo "make lint    check the code's style with ruff"
	@echo "make check   style, formatting, imports between packages, types, documentation"
	@echo "make defaults  write the YAML defaults and docs/configuration.md from the schemas"
	@echo "make docs    write the documentation as a web site into site/"
	@echo "make clean   remove $(VENV) and what builds leave; runs in save/ stay"
	@echo
	@echo "ARGS adds arguments:    make demo ARGS=\"model_config.cmsbert.shift.context=none\""
	@echo "MMF picks its line:     make setup MMF=main    (rc10, of PyPI, or main, of GitHub; now: $(MMF))"
	@echo "PYTHON picks a Python:  make setup PYTHON=python3.12    (3.10 or newer; now: $(PYTHON))"

setup: $(READY)

# Made again as often as wanted, unless it is to be resumed.
demo: $(READY)
	$(BIN)/mmf_run config=projects/cmsbert/demo.yaml \
	    $(if $(findstring checkpoint.resume=,$(ARGS)),,env.overwrite=true) $(ARGS)

test: $(READY)
	HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .

check: lint $(CHECKERS)
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir build/site

defaults: $(READY)
	$(BIN)/python -m mmf_cmsbert.config.write_defaults

docs: $(CHECKERS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

# The stamp is written last, and removed first when an environment is brought up to date, so that
# an interrupted installation is taken up again by the next `make`.
$(READY): requirements.txt setup.py Makefile mmf_cmsbert/installation/lines.py
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit( \
	    "mmf_cmsbert needs Python 3.10 or newer, and $(PYTHON) is %s. Name another, as in:" \
	    " make setup PYTHON=python3.12" % sys.version.split()[0])'
	@rm -f $(VENV)/.ready*
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --no-warn-conflicts -r requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/cmsbert install-mmf --line $(MMF)
	@touch $@

$(CHECKERS): $(READY) requirements-dev.txt
	$(PIP) install --quiet -r requirements-dev.txt
	@touch $@
