# Two commands are all that a newcomer needs: `make demo` and `make test`. Everything is installed into .venv here.

# Each command may take more: make demo ARGS=--help, make test ARGS="-k geth -x"
ARGS =
# Any Python from 3.11 on: make demo PYTHON=/opt/python/bin/python3
PYTHON =

# How many tests run at once. Most wait most of the time, so there may be more than processors. 0: one after another, in
# one process, as for --pdb.
WORKERS = 3

BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test e2e e2e-swarm check bench clean

help:  ## what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo 'Each takes ARGS, for example: make test ARGS="-k geth -x"'

demo: .venv/installed  ## a simulated Ethereum and nodeos cluster, watched, with a live page
	@$(BIN)/chainwatch demo $(ARGS)

test: .venv/installed-dev  ## every test; those against real servers skip what is not installed
	@$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile $(ARGS)

e2e: .venv/installed-dev  ## the rendered cluster on a Docker engine of its own; needs root and Debian 12's packages
	@$(BIN)/python -m pytest tests/e2e --durations=20 $(ARGS)

e2e-swarm: .venv/installed-dev  ## a nodeos network on a real swarm of one machine; needs what e2e needs
	@$(BIN)/python -m pytest tests/e2e_swarm --durations=20 $(ARGS)

check: .venv/installed-dev  ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m mypy

bench: .venv/installed-dev  ## how fast it is, side by side with the alternatives
	@$(BIN)/python -m benchmarks $(ARGS)

clean:  ## removes what the others made
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed again only when pyproject.toml has changed. The code itself is used where it lies.
.venv/installed: .venv/made pyproject.toml
	@echo 'Installing chainwatch into .venv (this once, about a minute) ...'
	@$(PIP) install --editable .
	@touch $@

.venv/installed-dev: .venv/made pyproject.toml
	@echo 'Installing chainwatch and its development tools into .venv (this once, a minute or two) ...'
	@$(PIP) install --editable '.[dev]'
	@touch .venv/installed $@

# A `python3.12` in PATH may be too old by another name, a shim that leads nowhere, or come without venv: each is tried.
.venv/made:
	@for python in $(if $(PYTHON),'$(PYTHON)',python3 python3.14 python3.13 python3.12 python3.11); do \
	    if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "Making .venv with $$("$$python" --version) ..."; \
	        "$$python" -m venv --clear .venv && touch $@; \
	        exit; \
	    fi; \
	done; \
	echo 'chainwatch needs Python 3.11 or newer with its venv module, and found none.' >&2; \
	echo 'Debian, Ubuntu: apt install python3-venv. Elsewhere: make $(MAKECMDGOALS) PYTHON=/path/to/python3' >&2; \
	exit 1
