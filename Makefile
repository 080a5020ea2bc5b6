# Two commands do everything on a fresh Debian or Ubuntu machine with Python 3.11 or newer:
#   make demo   the main job: a bundled scenario becomes a labelled dataset, with pictures
#   make test   all checks
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export MPLBACKEND := Agg

.PHONY: demo test slow bench clean

demo: $(VENV)/installed
	@rm -rf demo-output && mkdir demo-output
	$(BIN)/simtwin validate scenarios/*.yaml
	$(BIN)/simtwin simulate scenarios/demo.yaml --out demo-output/run --seed 1
	$(BIN)/simtwin augment scenarios/bearing_rig.yaml --out demo-output/dataset --seed 1
	$(BIN)/simtwin inspect demo-output/dataset --plots demo-output/pictures
	@echo
	@echo "The dataset:          demo-output/dataset   (Parquet parts and manifest.json)"
	@echo "One run, in pictures: demo-output/run       (overview.png first)"
	@echo "The dataset's:        demo-output/pictures"

test: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

slow: $(VENV)/installed-tests
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/installed-tests
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) demo-output

# The system's Python may come without the venv module's pip (Debian ships it as python3-venv).
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "simtwin needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory system-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

.PHONY: system-venv
system-venv:
	@echo "Python's venv module is missing; installing python3-venv"
	@if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv; \
	 else sudo apt-get update -qq && sudo apt-get install -y -qq python3-venv; fi

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	$(BIN)/python -m pip install --quiet --no-deps ross-rotordynamics==2.3.0 ccp-performance==0.4.1
	@touch $@
