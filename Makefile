# The verbs of Douse. `make help` lists them; README.md and docs/install.md give the plain lines for a machine without make.
PY := .venv/bin/python
DOUSE := .venv/bin/douse
FUZZ ?= 2000
EXECUTIONS ?= 100000
FUZZ_SECONDS ?= 1800

.DEFAULT_GOAL := help
.PHONY: demo setup setup-dev setup-e2e setup-validators test e2e lint types golden docs bench crosscheck quality fuzz check lock clean help

demo: setup ## write a small intrusion's logs, hunt them, print the incident, leave demo/report.html
	@$(DOUSE) simulate lumma-clickfix -o demo/logs --force
	@$(DOUSE) hunt demo/logs
	@$(DOUSE) hunt demo/logs --format html -o demo/report.html --force
	@$(DOUSE) hunt demo/logs --format json -o demo/incident.json --force
	@echo "The same as a report to pass on: demo/report.html (for programs: demo/incident.json)"

setup: ## build .venv with the newest Python from 3.14 down to 3.11 and install Douse into it
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

setup-dev:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh dev

setup-e2e:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh dev e2e

setup-validators:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh dev validators

test: setup-dev ## set up and run the tests (no network, no browser, at most 4 minutes)
	@$(PY) -m pytest

e2e: setup-e2e ## drive the reports in a real Chromium
	@command -v chromium >/dev/null || { echo "e2e: found no chromium on the PATH." \
	  "On Debian: apt-get install -y chromium poppler-utils" >&2; exit 1; }
	@$(PY) -m pytest -m e2e

lint: setup-dev ## ruff over everything
	@$(PY) -m ruff check .

types: setup-dev ## mypy, strict, over src
	@$(PY) -m mypy

golden: setup-dev ## rewrite the golden files; review them with git diff
	@UPDATE_GOLDEN=1 $(PY) -m pytest -m golden
	@git --no-pager diff --stat -- tests/golden || true

docs: setup-dev ## write docs/reference/ from the program itself
	@$(PY) scripts/make_docs.py

bench: setup-dev ## what a hunt costs: records per CPU-second, peak memory, beside the bare parser
	@$(PY) bench/hunt.py

crosscheck: setup-dev ## compare the fast matcher with the reference on all shared data, with all of its rules
	@$(PY) bench/crosscheck.py

quality: setup-dev ## measure our rules' alerts, write docs/detection-quality.md, say what nobody has read (CHECK=1 only checks)
	@$(PY) scripts/quality.py $(if $(CHECK),--check)

fuzz: setup-dev ## EXECUTIONS damaged inputs for each parser, 1,000 damaged logs, FUZZ examples for each property
	@failed=0; \
	$(PY) tests/fuzz/drive.py --executions $(EXECUTIONS) --seconds $(FUZZ_SECONDS) $(if $(SEED),--seed $(SEED)) || failed=1; \
	DOUSE_FUZZ=1 $(PY) -m pytest -q tests/fuzz/test_damaged_corpus.py || failed=1; \
	DOUSE_FUZZ=$(FUZZ) DOUSE_FUZZ_SECONDS=$(FUZZ_SECONDS) $(PY) -m pytest -q -m hypothesis || failed=1; \
	exit $$failed

check: lint types test ## what must pass before a commit

lock: setup ## pin the newest allowed versions by hash (UPGRADE=1 moves all of them)
	@sh scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## remove what make made
	@rm -rf .venv demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile
