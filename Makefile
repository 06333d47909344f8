# Two commands on a fresh machine: `make demo` and `make test`. Both may be run again, in either order.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check format clean

demo: $(VENV)/.installed
	@mkdir -p runs
	$(BIN)/forecast fetch --source sample
	$(BIN)/forecast train configs/demo.yaml
	$(BIN)/forecast predict AAPL

test: $(VENV)/.installed
	$(BIN)/pytest --cov=forecaster --cov-report=term:skip-covered

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) runs data/store dist build
