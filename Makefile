# `make` alone lists the targets. Everything runs in .venv, which `make setup` builds.

# The first Python on this machine that runs at all; the bootstrap then looks for the version to work with.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 /usr/bin/python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null && echo $$p && break; done)
BOOTSTRAP = "$(or $(PYTHON),$(error no Python 3 found on this machine))" tools/bootstrap.py
VENV := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check format bless bench

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## build .venv: the product, the demo and the checks
	@$(BOOTSTRAP)

setup-dev: ## the same, and the stand-in servers the tests talk to
	@$(BOOTSTRAP) --dev

demo: setup ## ingest three bills, play the budget scenario, write demo.html
	@$(VENV)/python -m demo

test: setup-dev check ## lint, types, then every test; says how many real-data tests ran
	$(VENV)/python -m pytest -n $(WORKERS) --dist loadgroup

check: setup ## lint, formatting and types only
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy

format: setup ## format the code and apply the safe lint fixes
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

bless: setup ## write the golden files anew from today's output; review the difference
	$(VENV)/python -m tests.golden.bless
	$(VENV)/python -m tests.house.invariants

bench: setup ## benchmarks as ratios in one run, into bench/results
	$(VENV)/python -m bench
