# Set-up and everyday commands; `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.ready

# MMF's wheel is pure Python, YAML included, but tagged for CPython 3.6 to 3.8: asking for it in
# that name is the only way to get it, and pip then insists on being told where to put it. Its
# dependencies are left out because its pins are from 2020; torchtext is here too because only its
# pure-Python `vocab` is used, and its dependencies would bring a compiled tokenizer.
AS_PYTHON_38 := --python-version 3.8 --implementation cp --abi cp38 --platform manylinux1_x86_64
MMF := mmf==1.0.0rc10 torchtext==0.6.0

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
	@rm -f $@
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --no-warn-conflicts -r requirements.txt
	$(PIP) install --quiet --no-deps --upgrade --only-binary :all: $(AS_PYTHON_38) \
	    --target "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" $(MMF)
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@
