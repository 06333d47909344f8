# Two commands on a fresh machine: `make demo` and `make test`. Both may be run again, in either order.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SMOKE := build/smoke
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check format smoke matrix bench mutate pictures tour case-study clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help: ## say what there is to make
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1  \2/p' $(MAKEFILE_LIST) | awk '{printf "  make %-11s", $$2; $$1 = $$2 = ""; print}'

demo: $(INSTALLED) ## fetch the sample, forecast, then train on it: the first look, in a minute
	$(BIN)/forecast fetch --source sample
	@echo "Forecast first, with the network that ships. The sample ends in 2013, before its weights' last day: in-sample."
	$(BIN)/forecast predict AAPL --run pretrained --horizon 5
	$(BIN)/forecast train configs/demo.yaml
	$(BIN)/forecast predict AAPL

test: $(INSTALLED) ## run all tests
	$(BIN)/python -m pytest -n auto --maxprocesses=4 --dist loadfile $(COVER)

coverage: COVER := --cov=forecaster --cov-report=term:skip-covered
coverage: test ## the same, and list the lines that no test runs, which takes half as long again

check: $(INSTALLED) ## check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(INSTALLED) ## format, and fix what lint can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

smoke: $(INSTALLED) ## build the wheel and use it in an environment and a folder of its own
	rm -rf $(SMOKE) && mkdir -p $(SMOKE)/empty
	$(BIN)/python -m hatchling build -t wheel -d $(SMOKE)
	$(BIN)/python -m venv $(SMOKE)/venv
	$(SMOKE)/venv/bin/pip install -q -c constraints.txt $(SMOKE)/*.whl
	cd $(SMOKE)/empty && ../venv/bin/forecast fetch --source sample --quiet
	cd $(SMOKE)/empty && ../venv/bin/forecast predict AAPL --offline --quiet
	cd $(SMOKE)/empty && ../venv/bin/forecast train demo --set training.steps=20 --quiet
	cd $(SMOKE)/empty && ../venv/bin/forecast predict AAPL

matrix: $(INSTALLED) ## try other Pythons and older libraries (FULL=1: with all tests); writes docs/platforms.md
	$(BIN)/python .ci/matrix.py $(if $(FULL),--full)

bench: $(INSTALLED) ## measure speed and memory, in one table (STORE=FOLDER: of candles of your own; else of the sample)
	$(BIN)/python benchmarks/speed/run.py $(if $(STORE),--data-dir $(STORE))

mutate: $(INSTALLED) ## make small mistakes in what decides figures: which does no test notice? (SAMPLE=all: all of them)
	$(BIN)/python benchmarks/mutation/run.py $(if $(filter all,$(SAMPLE)),,--sample $(or $(SAMPLE),25))

pictures: $(INSTALLED) ## make the README's pictures again, from real runs on the sample, and the diagrams of docs/rnn.md
	$(BIN)/python docs/pictures.py
	$(BIN)/python docs/diagrams

tour: $(INSTALLED) ## run docs/tour.ipynb again, with its outputs
	$(BIN)/python docs/tour.py

case-study: $(INSTALLED) ## measure on the sample and write the case study in both languages (ONLY="shapes": one part of it)
	$(BIN)/python docs/case_study $(if $(ONLY),--only $(ONLY))

$(INSTALLED): pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	@echo "Installing into $(VENV); the first time takes a minute or more, most of it for torch."
	@$(BIN)/python -m pip install -q -c constraints.txt -e ".[dev]"
	@touch $@

$(VENV)/pyvenv.cfg:
	@$(or $(PYTHON),python3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "error: $(or $(PYTHON),python3) is not Python 3.11 or newer: install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(or $(PYTHON),python3) -m venv $(VENV)

clean: ## remove what was installed, fetched, trained and built
	rm -rf $(VENV) build dist runs data/store .mypy_cache .pytest_cache .ruff_cache .coverage
