# Two commands do everything on a fresh Debian or Ubuntu machine with Python 3.11 or newer:
#   make demo   the main job: a scenario becomes a dataset with pictures, and firmware on an emulated chip finds its fault
#   make test   all checks
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export MPLBACKEND := Agg

.PHONY: demo test slow bench reference renode-bundle clean

demo: $(VENV)/installed
	@rm -rf demo-output && mkdir demo-output
	$(BIN)/simtwin validate scenarios/*.yaml
	$(BIN)/simtwin simulate scenarios/demo.yaml --out demo-output/run --seed 1
	$(BIN)/simtwin augment scenarios/bearing_rig.yaml --out demo-output/dataset --seed 1
	$(BIN)/simtwin inspect demo-output/dataset --plots demo-output/pictures
	$(BIN)/simtwin firmware build --out demo-output/firmware
	$(BIN)/simtwin e2e scenarios/demo.yaml --out demo-output/end-to-end
	@echo
	@echo "The dataset:          demo-output/dataset   (Parquet parts and manifest.json)"
	@echo "One run, in pictures: demo-output/run       (overview.png first)"
	@echo "The dataset's:        demo-output/pictures"
	@echo "The firmware:         demo-output/firmware  (for an ESP32-C3; its model was trained on such a dataset)"
	@echo "From end to end:      demo-output/end-to-end/demo  (timeline.png first, then transcript.txt)"

test: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile

slow: $(VENV)/installed-tests
	$(BIN)/python -m pytest -m slow --numprocesses logical

# The models that firmware is built and tested with: about an hour on two cores. See docs/e2e.md.
REFERENCES := bearing_rig desk_fan industrial_axial_fan cwru_motor
reference: $(VENV)/installed-tests
	rm -rf reference-work && mkdir reference-work
	@for machine in $(REFERENCES); do set -e; echo "== $$machine"; work=reference-work/$$machine; \
	  $(BIN)/simtwin augment scenarios/$$machine.yaml scenarios/$${machine}_start_stop.yaml --times 20 --seed 101 --out $$work; \
	  $(BIN)/simtwin train $$work --arch cnn --target label --folds 2 --epochs 20 --patience 20 --hop 512 --false-alarm-rate 0.003 --seed 1 --out $$work-run; \
	  $(BIN)/simtwin export $$work-run --out $$work-artifact; \
	  rm -rf models/reference/$$machine && cp -r $$work-artifact models/reference/$$machine; \
	done

# All that runs the end-to-end tests where only Renode is, with every shipped run of the machines above as a test; some minutes. Copy
# the folder there and run `python3 renode-bundle/run.py`. See docs/renode.md.
BUNDLED := $(foreach machine,$(REFERENCES),$(wildcard scenarios/$(machine)_*.yaml))
BUNDLED := $(filter-out scenarios/cwru_motor_12khz.yaml,$(BUNDLED)) $(patsubst %,scenarios/%.yaml,demo sensor_fault_only several_imus two_faults)
renode-bundle: $(VENV)/installed-tests
	rm -rf renode-bundle
	$(BIN)/simtwin renode bundle $(BUNDLED) --out renode-bundle

bench: $(VENV)/installed-tests
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) demo-output reference-work renode-bundle

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
	$(BIN)/python -m pip install --quiet --editable '.[firmware]'
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	$(BIN)/python -m pip install --quiet --no-deps ross-rotordynamics==2.3.0 ccp-performance==0.4.1
	@touch $@
