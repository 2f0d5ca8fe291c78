# Needs Python 3.11 or later and make; nothing is compiled.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lock clean

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

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Filmgate needs Python 3.11 or later.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.ready: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/dev.ready: requirements/dev.txt $(VENV)/run.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/dev.txt
	@touch $@

lock: ## write requirements/*.txt anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--only-binary :all: pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--only-binary :all: --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt

clean:
	rm -rf $(VENV) demo
