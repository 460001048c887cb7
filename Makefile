# Every task is one line below its name; `make` alone lists them. Needs git, make and Python 3.11 or newer, nothing else.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
PARALLEL ?= 2
PICTURES ?= ../upheld-pictures
STORED := $(addprefix tests/test_,$(addsuffix .py,clock copies keeper life machine many_processes papers recover tail threads unasked vault \
  asking client confirming examples lifecycle openid_browser receipts registers web_crowd web_person_stories web_portal web_stories))
QUICK := $(addprefix tests/test_,$(addsuffix .py,dates decide explain facts glossary law ledger_merkle life lifecycle policy_read))

.DEFAULT_GOAL := help
.PHONY: audit-dependencies help setup run test stores suite quick deep lint types clauses eleven bench faults image units accept screenshots format lock clean

help:  ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv and install the locked versions; does nothing when they are there

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is not on the path; install it or say PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup  ## simulate the five policies, verify, report; then serve them until Ctrl-C (in CI: check the pages)
	@$(BIN)/python -m upheld.demonstration --serve

test: stores suite  ## everything on both engines: the tests of stores, keeper and pages on PostgreSQL, then all but the deep ones

suite: setup clauses  ## the clause count, then all tests but the deep ones, on files where they don't bring a server
	@$(BIN)/python -m pytest -q -n $(PARALLEL)

stores: setup  ## the tests of stores, keeper and pages once more, on a PostgreSQL that they start; UPHELD_LIVES=3
	@UPHELD_ENGINE=postgresql UPHELD_LIVES=$${UPHELD_LIVES:-3} $(BIN)/python -m pytest -q -n $(PARALLEL) $(STORED)

quick: setup  ## language, meaning, dates, law and one whole life: ten seconds together
	@$(BIN)/python -m pytest -q -m "not slow and not deep" $(QUICK)

deep: setup  ## all tests, the long ones and the planted faults too
	@UPHELD_EXAMPLES=deep $(BIN)/python -m pytest -q -n $(PARALLEL) -m "deep or not deep"

lint: setup  ## ruff, its formatting and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

types: setup  ## mypy, strict
	@$(BIN)/mypy

audit-dependencies: setup  ## locked versions against known weaknesses; goes on where the service is away
	@$(BIN)/python tools/audit_dependencies.py

clauses: setup  ## per policy: clauses in the catalogue, carried by the document, cited by a test
	@$(BIN)/python tools/clauses.py

eleven: setup  ## the spine part by part: eleven commands, the last line of each
	@tools/eleven.sh

bench: setup  ## ratios against the bare driver, in one run
	@$(BIN)/python -m benchmarks

screenshots: setup  ## pictures of every page, two widths, two languages, dark, into PICTURES (outside the repository)
	@$(BIN)/python -m tests.every_page $(PICTURES)

faults: setup  ## kill, fill, cut, turn back and confuse, on both engines: tried, lost, disclosed
	@$(BIN)/python -m tests.faults

image: setup  ## build the container image and run it until it is ready; root, buildah, and a registry or mmdebstrap
	@$(BIN)/python tools/image.py

units:  ## boot a Debian in a container, install by the guide, start every unit of systemd; root, podman, runc, mmdebstrap
	@tools/units.sh

accept: setup  ## rewrite the expected findings of documents; read them in `git diff`
	@UPHELD_ACCEPT=1 $(BIN)/python -m pytest -q tests/test_documents.py tests/test_findings.py

format: setup  ## sort imports, mend what ruff can mend, format
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

lock: setup  ## write the lock files from what is installed in .venv
	@$(BIN)/python tools/lock.py

clean:  ## remove what tasks made, the venv too
	@rm -rf .venv build dist run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
