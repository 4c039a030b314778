# The ways to run the gateway. `make` alone lists them.
#   PYTHON=3.12         the Python to take, a version or a path; else scripts/python.sh finds one
#   VENV=.venv-3.12     another environment than .venv
VENV ?= .venv
PY = $(VENV)/bin/python
TESTS ?= tests
MARK ?= not soak
export VENV

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint test-all bench run lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1#/p' Makefile | while IFS='#' read -r name words; do \
		printf '%-16s %s\n' "$$name" "$$words"; done

setup: ## the environment alone
	@sh scripts/setup.sh

demo: setup ## the whole story against a fake OpenAI; KEEP=1 stays up
	@$(PY) scripts/demo.py

test: setup ## the test suite without its soaks
	$(PY) -m pytest $(TESTS) -m "$(MARK)" -n 2 --dist loadfile

lint: setup ## style, types, layers, generated pages
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PY) scripts/generate_docs.py --check
	for script in scripts/*.sh; do sh -n "$$script" || exit 1; done
	bash -n .ci/run

test-all: setup ## the suite with soaks and the checks that need Debian packages
	$(PY) -m pytest tests --hypothesis-profile=default

bench: setup ## what the gateway costs, against an empty mitmdump
	$(PY) -m tests.bench

run: setup ## the gateway for real on 127.0.0.1:8080
	@exec sh scripts/run.sh

lock: setup ## requirements.lock anew (needs uv)
	uv pip compile --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url pyproject.toml --group dev -o requirements.lock

clean: ## removes the environments and caches; certs/ and var/ stay
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find addons scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
