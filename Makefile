# Needs Python 3.11 or later and make; nothing is compiled.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# What needs torch has an environment of its own. Any build of this version will do; the tests use the CPU.
ENGINES_VENV := .venv-engines
TORCH ?= torch==2.13.0

INSTALL := -m pip install --quiet --disable-pip-version-check
LOCKED := --only-binary :all: --require-hashes
LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--only-binary :all: pyproject.toml

.PHONY: demo test test-engines lock clean

demo: $(VENV)/run.ready ## set up, start Filmgate, turn a picture into demo/clip.mp4 over HTTP
	@mkdir -p demo
	$(BIN)/filmgate run wan-ai/wan-2-6/flash/image-to-video --image docs/images/astronaut.jpg \
		--prompt "Slow push-in on the astronaut, gentle drift to the right" -o demo/clip.mp4

test: $(VENV)/dev.ready ## set up, then every check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/write_docs.py --check
	$(BIN)/filmgate check
	$(BIN)/pytest -n 2

test-engines: $(ENGINES_VENV)/dev.ready ## set up with torch, then the checks that need it, on tiny weights
	OMP_NUM_THREADS=1 $(ENGINES_VENV)/bin/pytest -n 2 tests/torch

$(VENV)/bin/python $(ENGINES_VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Filmgate needs Python 3.11 or later.")'
	$(PYTHON) -m venv $(@:/bin/python=)

$(VENV)/run.ready: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python $(INSTALL) $(LOCKED) -r requirements/run.txt
	$(BIN)/python $(INSTALL) --no-deps --editable .
	@touch $@

$(VENV)/dev.ready: requirements/dev.txt $(VENV)/run.ready
	$(BIN)/python $(INSTALL) $(LOCKED) -r requirements/dev.txt
	@touch $@

$(ENGINES_VENV)/torch.ready: | $(ENGINES_VENV)/bin/python
	$(ENGINES_VENV)/bin/python $(INSTALL) --only-binary :all: $(TORCH)
	@touch $@

$(ENGINES_VENV)/dev.ready: requirements/engines.txt pyproject.toml $(ENGINES_VENV)/torch.ready
	$(ENGINES_VENV)/bin/python $(INSTALL) $(LOCKED) -r requirements/engines.txt
	$(ENGINES_VENV)/bin/python $(INSTALL) --no-deps --editable .
	@touch $@

lock: ## write requirements/*.txt anew (needs uv)
	$(LOCK) -o requirements/run.txt
	$(LOCK) --extra dev --extra voice -c requirements/run.txt -o requirements/dev.txt
	$(LOCK) --extra dev --extra gpu -c requirements/dev.txt --excludes requirements/unlocked.txt -o requirements/engines.txt

clean:
	rm -rf $(VENV) $(ENGINES_VENV) demo
