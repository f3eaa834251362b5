# The commands of the README. Each sets up what it needs; needs only Python 3.11+ and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := weft $(wildcard services/*) $(wildcard libs/*)
LOCK := requirements/dev.txt
STAMP := $(VENV)/.installed
# Compiled modules are kept even where the shell asks for none: a process of Weft starts in 1 s of computing with them and in 10 s without.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup up test check format bench bench-peers generate lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make the virtual environment

$(STAMP): $(LOCK) requirements/build.txt $(foreach m,$(MEMBERS),$(m)/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Weft needs Python 3.11 or newer; set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(foreach m,$(MEMBERS),-e ./$(m))
	$(BIN)/python -m compileall -q -j 0 $(MEMBERS)
	@touch $@

up: setup ## run the whole mesh on this machine
	$(BIN)/weft up

# Side by side, a file at a time and the tests of one kept mesh in a row: three at once, as much of it waits for servers, and what computes
# does so beside what waits.
test: setup ## run every test
	$(BIN)/pytest --no-loadscope-reorder --dist loadfile --numprocesses 3

check: setup ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup ## put the code in the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## measure, print a table, write bench/results.json
	$(BIN)/python -m bench

bench-peers: setup ## measure Weft beside its peers, each installed in an environment of its own
	bash bench/peers/install.sh
	$(BIN)/python -m bench.peers

generate: setup ## write the schemas of all words, the AsyncAPI document, the definition's schema, the pages of findings and routes
	$(BIN)/python -m weft_contracts.generate
	$(BIN)/python -m weft_language.generate
	$(BIN)/python -m weft.reference

lock: ## compile requirements/*.in to *.txt: names, versions and hashes, no addresses
	for name in build runtime dev; do \
	  $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean: ## remove what the commands made
	rm -rf $(VENV) .weft .weft-test .mypy_cache .ruff_cache .pytest_cache .hypothesis
