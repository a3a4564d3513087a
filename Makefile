# make repro    sets everything up and runs the demo pipeline
# make test     sets everything up and runs the fast tests;  make test-all adds the slow tests
# make check    formatting, lint and types

PYTHON ?= python3.11
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := true

TORCH := torch==2.13.0
# One process for each core, each with one thread; the tests of a file run in one process.
PYTEST := OMP_NUM_THREADS=1 pytest -n auto --dist loadfile

.PHONY: repro test test-all check setup clean

repro: setup
	dvc repro

test: setup
	$(PYTEST)

test-all: setup
	$(PYTEST) -m "slow or not slow"

check: setup
	ruff check .
	ruff format --check .
	mypy

setup: .venv/installed

# With a GPU, the registry's build of torch is the right one. Without a GPU, its gigabytes of CUDA are
# not needed: install a CPU build from the index that pip is configured for, or else let uv find
# PyTorch's index of CPU builds.
.venv/installed: requirements.txt requirements-serve.txt constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@if command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then \
	  $(BIN)/pip install -q -c constraints.txt $(TORCH); \
	elif ! $(BIN)/pip install -q -c constraints.txt $(TORCH)+cpu 2>/dev/null; then \
	  $(BIN)/pip install -q -c constraints.txt uv && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend cpu -c constraints.txt $(TORCH); \
	fi
	$(BIN)/pip install -q -r requirements.txt -r requirements-serve.txt -c constraints.txt
	touch $@

clean:
	rm -rf scratch .pytest_cache .mypy_cache .ruff_cache
