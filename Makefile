# Set-up and everyday commands; `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
# The line that is installed there, until another is named.
MMF ?= $(or $(patsubst $(VENV)/.ready-%,%,$(wildcard $(VENV)/.ready-*)),rc10)
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.ready-$(MMF)

# MMF's wheel is pure Python, YAML included, but tagged for CPython 3.6 to 3.8: asking for it in
# that name is the only way to get it, and pip then insists on being told where to put it. Its
# dependencies are left out because its pins are from 2020; torchtext is here too because only its
# pure-Python `vocab` is used, and its dependencies would bring a compiled tokenizer.
AS_PYTHON_38 := --python-version 3.8 --implementation cp --abi cp38 --platform manylinux1_x86_64
GET_rc10 := --only-binary :all: $(AS_PYTHON_38) mmf==1.0.0rc10 torchtext==0.6.0

# MMF's main line was never released: this is its newest commit of July 2026. NEEDS_main is what it
# imports beyond requirements.txt.
MAIN := git+https://github.com/facebookresearch/mmf.git@b0ffc7fba39f210f833c127362146aec01a2f259
GET_main := --no-build-isolation "mmf @ $(MAIN)" torchtext==0.6.0
# Its own switch for leaving out its one part in C, which only models that read text in images use.
AS_PURE_PYTHON := READTHEDOCS=1
NEEDS_main := iopath==0.1.10 pandas==2.3.3 portalocker==4.4.2 termcolor==3.3.0
$(if $(GET_$(MMF)),,$(error MMF=$(MMF): expected rc10 or main))

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint clean

help:
	@echo "make demo    train and score CMSBERT-CLR on a small synthetic corpus (no download of data)"
	@echo "make test    run the tests (offline)"
	@echo "make setup   only create the environment in $(VENV); the others do so when needed"
	@echo "make lint    check the code's style with ruff"
	@echo "make clean   remove $(VENV) and what builds leave; runs in save/ stay"
	@echo
	@echo "ARGS adds arguments:    make demo ARGS=\"model_config.cmsbert.shift.context=none\""
	@echo "MMF picks its line:     make setup MMF=main    (rc10, of PyPI, or main, of GitHub; now: $(MMF))"
	@echo "PYTHON picks a Python:  make setup PYTHON=python3.12    (3.10 or newer; now: $(PYTHON))"

setup: $(READY)

demo: $(READY)
	$(BIN)/mmf_run config=projects/cmsbert/demo.yaml $(ARGS)

test: $(READY)
	HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache

# The stamp is written last, and removed first when an environment is brought up to date, so that
# an interrupted installation is taken up again by the next `make`.
$(READY): requirements.txt setup.py Makefile
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit( \
	    "mmf_cmsbert needs Python 3.10 or newer, and $(PYTHON) is %s. Name another, as in:" \
	    " make setup PYTHON=python3.12" % sys.version.split()[0])'
	@rm -f $(VENV)/.ready*
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --no-warn-conflicts -r requirements.txt
	@$(PIP) uninstall --quiet --yes mmf 2>/dev/null
	$(if $(NEEDS_$(MMF)),$(PIP) install --no-warn-conflicts $(NEEDS_$(MMF)))
	$(AS_PURE_PYTHON) $(PIP) install --quiet --no-deps --upgrade \
	    --target "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" $(GET_$(MMF))
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@
