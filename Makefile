# Funnel: `make help` lists what can be done here.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# A distribution builds its Python with profile-guided optimisation, and pyenv does not unless it is told to: that one takes
# a sixth more of the tests' time.
PYTHON ?= $(shell /usr/bin/python3.11 -c 'import ensurepip' 2>/dev/null && echo /usr/bin/python3.11 || command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Else every run, and each of its processes, would compile all modules and rewrite all assertions again.
export PYTHONDONTWRITEBYTECODE :=
# Where it may, one after the other: it fails at once for anybody but root, and where there is no apt.
APT := flock var/apt.lock apt-get -qq
APT_INSTALL := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && mkdir -p var && $(APT) update && DEBIAN_FRONTEND=noninteractive $(APT) install -y --no-install-recommends
# $(call install,ENVIRONMENT,REQUIREMENTS): all is pinned in full, so there is nothing to resolve. uv takes a tenth of pip's time;
# where it cannot be had, or gets nothing (it does not read pip's configuration), pip does it, and tells what is wrong.
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV_ALONE := sed -n '/^uv==/,/^ *\# via/p' requirements-dev.txt
install = { { test -x $(BIN)/uv || $(PIP) install -qq --no-deps -r <($(UV_ALONE)); } \
	  && $(BIN)/uv pip install --quiet --no-config --python $(1)/bin/python --no-deps -r $(2); } 2>/dev/null \
	  || $(PIP) --python $(1)/bin/python install -qq --no-deps -r $(2)
PIP_COMPILE := $(BIN)/pip-compile --quiet --no-strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ line = sprintf("  make %-14s", $$1); \
	  count = split($$2, words, " "); for (i = 1; i <= count; i++) { \
	  if (length(line words[i]) > 79) { print line; line = sprintf("%21s", "") } line = line " " words[i] } print line }'

$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Funnel needs Python 3.11, and $(PYTHON) is " + sys.version.split()[0] + ". Install it, or name it: make PYTHON=/path/to/python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(call install,$(VENV),requirements.txt)
	@touch $@

# Else `flask` would read .env before any line of Funnel's: it expands what has a $ in it, and ends in a traceback where the
# file is not in UTF-8 or may not be read. Funnel reads it itself, wherever a command is run.
OWN_ENV := $(VENV)/lib/python3.11/site-packages/funnel_reads_env.pth
$(OWN_ENV): | $(VENV)/run.stamp
	@echo 'import os; os.environ.setdefault("FLASK_SKIP_DOTENV", "1")' > $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@$(call install,$(VENV),requirements-dev.txt)
	@touch $@

PREFECT_CLIENT := $(VENV)/prefect
$(PREFECT_CLIENT)/stamp: tests/prefect/requirements.txt $(VENV)/run.stamp
	@test -x $(PREFECT_CLIENT)/bin/python || $(PYTHON) -m venv --without-pip $(PREFECT_CLIENT)
	@$(call install,$(PREFECT_CLIENT),tests/prefect/requirements.txt)
	@touch $@

.PHONY: prefect-client
prefect-client: $(PREFECT_CLIENT)/stamp ## Install the official client of the system before Funnel, for the tests only

.PHONY: setup
setup: $(VENV)/dev.stamp $(OWN_ENV) ## Make the virtual environment with everything pinned

.PHONY: servers
servers: ## Install what the tests need of the system, where apt may: PostgreSQL, PgBouncer, promtool, a browser, Node.js, a C compiler
	@{ { ls /usr/lib/postgresql/*/bin/initdb || command -v initdb; } && { command -v chromium || command -v google-chrome; } && command -v node && command -v cc && command -v promtool && PATH=$$PATH:/usr/sbin command -v pgbouncer; } >/dev/null 2>&1 \
	  || { $(APT_INSTALL) postgresql pgbouncer prometheus chromium nodejs gcc libc6-dev >/dev/null; } \
	  || { echo "The tests need PostgreSQL's server, PgBouncer, promtool, Chromium, Node.js and a C compiler: install the packages postgresql, pgbouncer, prometheus, chromium, nodejs, gcc and libc6-dev, or run as root so that make can."; exit 1; }
# Pages are tested in half the time where Debian has this, which draws no window.
	@command -v chromium-headless-shell >/dev/null || { $(APT_INSTALL) chromium-headless-shell; } >/dev/null 2>&1 || true

VNU := var/vnu/node_modules/vnu-jar/build/dist/vnu.jar
.PHONY: html-checker
html-checker: servers ## Install the W3C's checker of HTML: Java and npm where apt may, and vnu-jar
# Some builds of Node.js bring npm along, and Debian's does not: what is there is not asked for again.
	@{ wanted=; command -v java >/dev/null || wanted=default-jre-headless; command -v npm >/dev/null || wanted="$$wanted npm"; [ -z "$$wanted" ] \
	  || { $(APT_INSTALL) $$wanted >/dev/null; }; } \
	  || { echo "The W3C's checker needs Java and npm: install the packages default-jre-headless and npm, or run as root so that make can."; exit 1; }
	@test -f $(VNU) || { mkdir -p var/vnu && cd var/vnu && npm install --prefer-offline --loglevel=error --no-audit --no-fund vnu-jar@26.9.27 >/dev/null; } \
	  || { echo "The W3C's checker, vnu-jar, could not be fetched: npm must reach its registry (npm config get registry)."; exit 1; }

.PHONY: typesetting
typesetting: setup ## Install what printing the playbook needs of the system, where apt may
	@$(BIN)/python -c 'import weasyprint' >/dev/null 2>&1 \
	  || { $(APT_INSTALL) libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 >/dev/null; } \
	  || { echo "Printing needs Pango: install the packages libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0, or run as root so that make can."; exit 1; }

.PHONY: playbook
playbook: setup typesetting ## Print the holiday playbook of this season (SEASON=2027: of another)
	@$(BIN)/python -m assets.playbook.build $(if $(SEASON),--season $(SEASON))

.PHONY: demo
demo: setup ## Play leads through real processes on this machine (ONCE=1: stop when all is delivered)
	@$(BIN)/python -m sandbox.start demo $(if $(ONCE),--once)

.PHONY: run
run: setup ## Run web, worker and scheduler with the settings of .env
	@$(BIN)/python -m sandbox.start run

# Three more than processors: some of them wait for real processes most of the time (tests/pool.py).
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 3)

.PHONY: provisions
provisions: ## Fetch what the tests need, side by side
	@$(MAKE) --no-print-directory -j4 setup prefect-client servers typesetting
	@$(MAKE) --no-print-directory html-checker || echo "All else is tested without it."

.PHONY: test
test: ## Check everything: style, types, floors, HTML, and all tests with coverage
	@mkdir -p var; rm -f var/types.txt var/pages.txt
# What is wrong with types, floors and pages is told after the tests.
	@$(MAKE) --no-print-directory -j5 -k suite types pages; failed=$$?; cat var/types.txt var/pages.txt 2>/dev/null; exit $$failed

# A make that a test starts is no job of this one.
.PHONY: suite
suite: setup lint prefect-client servers typesetting ## Run all tests with coverage (ARGS=--durations=20)
	@unset MAKEFLAGS MFLAGS; $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -p tests.covered -p no:cacheprovider $(ARGS)

.PHONY: types
types: setup ## Check types and floors, and tell what is wrong in var/types.txt
	@$(MAKE) --no-print-directory typecheck floors > var/types.txt 2>&1 && rm var/types.txt

.PHONY: pages
pages: setup servers ## Check the HTML of every kind of page, and tell what is wrong in var/pages.txt
	@$(MAKE) --no-print-directory html-checker || { echo "All else is tested without it."; exit 0; }; \
	$(MAKE) --no-print-directory validate > var/pages.txt 2>&1 && rm var/pages.txt

# An email's way and what ends it; what only looks at it, or is played for long, is left to `make test`.
QUICK := campaigns rules letters lists ledger $(addprefix flows/,intake templates sending replies privacy outbox lists)

.PHONY: quick
quick: setup ## Check floors, rules, letters, ledger and an email's way on SQLite alone (a minute)
	@mkdir -p var; $(MAKE) --no-print-directory floors > var/floors.txt 2>&1 & floors=$$!; \
	TEST_DATABASES=sqlite $(BIN)/python -m pytest -q -n 2 --dist worksteal -p no:cacheprovider $(addprefix tests/,$(QUICK)); failed=$$?; \
	wait $$floors || { failed=1; cat var/floors.txt; }; exit $$failed

.PHONY: floors
floors: setup ## Check the floors of the house: imports only go down
	@$(BIN)/lint-imports

.PHONY: guards
guards: floors ## Check the floors of the house, and that documents and code agree (a minute)
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_guards.py tests/test_documents.py tests/test_named.py

.PHONY: e2e-live
e2e-live: setup ## Play a journey through a deployed Funnel in testing mode (URL=https://… TO=delivered+live@resend.dev WITHIN=1500)
	@$(BIN)/python -m sandbox.start live --url "$(URL)" --to "$(TO)" --within $(or $(WITHIN),1500)

.PHONY: chaos
chaos: setup servers ## Play storms of faults and count what they lost (STORMS=20)
	@$(BIN)/python -m tests.chaos $(or $(STORMS),20)

.PHONY: model
model: setup ## Compare the rules with a plain model of their words over random histories (HISTORIES=20000 SEED=0)
	@$(BIN)/python -m tests.model $(or $(HISTORIES),20000) $(or $(SEED),0)

# What `make bench` runs: minutes. The others take long, or need what it does not: `make bench-full`.
SHORT := accept intake drain lateness memory start calls
# What measures the same with fewer, since it is the cost of each that counts: their own defaults take ten minutes each.
FEWER := mirror:100 campaign_edits:5000 hostile:20000
FIRST := drain:full growth:0:100000:1000000:postgresql intake:full
PROGRAMS = $(filter-out stub events,$(basename $(notdir $(shell grep -l __main__ bench/*.py))))
OTHERS = $(filter-out $(foreach each,$(FIRST) $(FEWER),$(firstword $(subst :, ,$(each)))),$(PROGRAMS))
# Each program in turn, with its arguments after colons; each tells how long it took, and one that fails stops none.
MEASURE = failed=; for each in $(1); do \
	  echo "== $${each//:/ }"; began=$$SECONDS; $(BIN)/python -m bench.$${each//:/ } || failed+=" $$each"; \
	  echo "   $$((SECONDS - began)) s"; done; [ -z "$$failed" ] || { echo "Not as promised:$$failed"; exit 1; }

.PHONY: bench
bench: setup servers ## Measure: the programs of bench/ that take minutes (BENCH=hostile: one of them); 1 where a promise does not hold
	@$(call MEASURE,$(or $(BENCH),$(SHORT)))

.PHONY: bench-full
bench-full: setup servers peers ## Measure everything, on SQLite and PostgreSQL, beside ready-made stacks (three quarters of an hour)
	@$(call MEASURE,peers $(FIRST) $(FEWER) $(OTHERS))

.PHONY: peers
peers: ## Install the ready-made stacks that Funnel is measured beside, each set in an environment of its own under var/peers
	@for set in rest prefect; do [ -d var/peers/$$set ] || { $(PYTHON) -m venv var/peers/$$set && \
	  var/peers/$$set/bin/pip install --quiet -r bench/peers/requirements-$$set.txt; }; done

.PHONY: lint
lint: setup ## Check style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

.PHONY: format
format: setup ## Fix style
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

# mypy goes by what is in a file, not by where it stands or when it came there: a new clone need not check again what another
# has, which takes a fortieth of the tests' time.
MYPY_CACHE := "$${XDG_CACHE_HOME:-$$HOME/.cache}/funnel/mypy"
.PHONY: typecheck
typecheck: setup ## Check types
	@mkdir -p $(MYPY_CACHE) 2>/dev/null; $(BIN)/mypy --cache-dir $$(test -w $(MYPY_CACHE) && echo $(MYPY_CACHE) || echo .mypy_cache)

.PHONY: screenshots
screenshots: setup servers ## Take a picture of every page of the console at four widths, light and dark, into screenshots/ (PAGES="today lead")
	@mkdir -p var; $(BIN)/python -m tests.screenshots $(PAGES) > var/screenshots.log 2>&1 || { tail -20 var/screenshots.log; exit 1; }
	@$(BIN)/python -m docs.pictures

.PHONY: validate
validate: setup html-checker ## Ask the W3C's checker what is wrong with the HTML of every kind of page
	@$(BIN)/python -m tests.validate $(VNU)

.PHONY: mutants
mutants: setup ## Change the pure rules in small ways and see whether their tests notice (SAMPLE=300)
	@$(BIN)/python -m tests.mutants $(SAMPLE)

.PHONY: proofread
proofread: setup ## Read every starter letter on each day of a year, and print them all as pictures into var/proofread/
	@$(BIN)/python -m tests.proofread

.PHONY: docs
docs: setup ## Write the documents' tables from the code, and the starter texts' fingerprints
	@$(BIN)/python -m docs.starters
	@$(BIN)/python -m docs.tables

.PHONY: migration
migration: setup ## Draft a migration of what the models have and the ledger has not (NAME=0002_add_something)
	@$(BIN)/flask --app wsgi db revision $(NAME)

.PHONY: requirements
requirements: setup ## Pin requirements*.txt again from requirements*.in
	@$(PIP_COMPILE) requirements.in -o requirements.txt
	@$(PIP_COMPILE) requirements-dev.in -o requirements-dev.txt

.PHONY: audit
audit: setup ## Look for known faults in the pinned packages (said and skipped where the data cannot be reached)
	@$(BIN)/python -m tests.audit

.PHONY: clean
clean: ## Remove what was made here
	@rm -rf $(VENV) .mypy_cache $(MYPY_CACHE) .ruff_cache .pytest_cache .hypothesis var
