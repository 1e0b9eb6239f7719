.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# The files with such a mark, for each of five processes reads all that it is given; those with
# the longest tests first, so that all five end together. A file keeps its servers.
LONGEST := tests/integration/cli/test_{lost_broker,guarded}.py tests/{unit,drill,chaos,e2e}
MARKED = $(shell grep -rlE --include "*.py" "mark\.$(1)" $(LONGEST) tests | awk '!seen[$$0]++')
IN_ORDER := --dist loadfile --no-loadscope-reorder --randomly-dont-reorganize
OF_OTHERS := tests/interop tests/integration/typing tests/unit/passwords/test_compiled.py
# PostgreSQL has no transaction_timeout before 17.
OF_17 := "tests/integration/consumers/test_transient.py::test_what_passes_is_tried_again[a transaction takes too long]"
MEETING := tests/integration/{client,cluster,consumers,recovery,relay,replay} tests/e2e/test_{producer,promises}.py
# The tests start hundreds of programs; each would compile anew what it imports.
unexport PYTHONDONTWRITEBYTECODE
# What is set for other work would take the place of what .venv holds.
unexport PYTHONHOME PYTHONPATH

.PHONY: help setup demo serve test slow gate nightly interop drill chaos chaos-release fuzz mutants versions check format bench bench-peers bench-processes bench-users bench-clients bench-recovery bench-replay sizing scaling flames pictures spec go-events lock freeze release audit clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | \
		while IFS=$$'\t' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done

setup: ## make .venv from the hashes in requirements.txt, fetch Kafka and PostgreSQL
	@PYTHON="$(PYTHON)" .ci/setup

demo: setup ## see it run: register, log in, log out on a real Kafka and a real PostgreSQL
	@$(BIN)/authbus demo

serve: setup ## keep the service running on a Kafka and a PostgreSQL of its own, or on those given
	@$(BIN)/authbus serve

test: setup ## the tests on a real Kafka and a real PostgreSQL, in 5 to 7 minutes on two cores
	$(PYTEST) -n 3 --dist worksteal -m "not slow and not gate and not seeds and not nightly and not interop" --ignore tests/contract

slow: setup ## full counts and whole installations, in 2 to 3 minutes on two cores
	$(PYTEST) -n 5 $(IN_ORDER) -m slow $(call MARKED,slow)

gate: setup ## faults: two minutes of chaos from each of two seeds beside each other, then all others, in 4 to 6 minutes
	$(PYTEST) -n 2 -m seeds tests/chaos/run
	$(PYTEST) -n 5 $(IN_ORDER) -m gate $(call MARKED,gate)

nightly: setup ## the full counts; bad inputs and examples by the date (SEED=20261231: those of that night); then make audit
	$(PYTEST) -n 2 -m nightly --timeout 3600
	@$(MAKE) --no-print-directory audit

interop: setup ## Go, JavaScript, Java, a shell, a real browser, type checkers, a C compiler, where they are; 5 minutes the first time
	$(PYTEST) -n 3 --dist loadfile -m interop -p no:randomly -v $(OF_OTHERS)

drill: setup ## lose the database and recover it, 20 times each way (SEED=7, USERS=500: that one alone)
	$(BIN)/python -m tests.drill $(if $(SEED),--seed $(SEED)) $(if $(USERS),--users $(USERS))

chaos: setup ## kill and stop a service and its servers under load, judge all it said (SECONDS=120, SEED=7, PROFILE=full|soak|kills|gate)
	$(BIN)/python -m tests.chaos.run --profile $(or $(PROFILE),small) --seconds $(or $(SECONDS),120) $(if $(SEED),--seed $(SEED))

chaos-release: setup ## the same for an hour in all, to one broker and to three; the page in tests/chaos/release (in about 70 minutes)
	$(BIN)/python -m tests.chaos.run.release $(if $(SUM),--sum)

fuzz: setup ## send bad inputs of every class, alone and between good records (SEED=7, COUNT=50)
	$(BIN)/python -m tests.fuzz $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT))

mutants: setup ## put 89 bugs into a copy of the code and see the tests that pass without them find each (in about 15 minutes); build/mutants.md
	$(BIN)/python -m tests.mutants

versions: setup ## what meets Kafka and PostgreSQL, on the oldest and on the newest of them
	AUTHBUS_EMBEDDED_KAFKA=3.5.2 AUTHBUS_EMBEDDED_POSTGRES=16 $(PYTEST) -n 2 -m "not nightly" $(MEETING) --deselect $(OF_17)
	AUTHBUS_EMBEDDED_KAFKA=4.4.0 AUTHBUS_EMBEDDED_POSTGRES=18 $(PYTEST) -n 2 -m "not nightly" $(MEETING)

check: setup ## lint, format, types, architecture, and the tests of the contract and the house: what pre-commit runs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(PYTEST) -q tests/contract

format: setup ## put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## measure log-ins a second, the latency beside the hash, cheap commands a second
	@$(BIN)/python -m tests.benchmarks

# Installed for this alone, apart from .venv.
PEERS := .cache/peers/installed

$(PEERS): tests/benchmarks/peers/requirements.txt
	python3 -m venv --clear .cache/peers
	.cache/peers/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
		--only-binary :all: --require-hashes -r tests/benchmarks/peers/requirements.txt
	touch $(PEERS)

bench-peers: setup $(PEERS) ## measure fastapi-users beside the service, in turns (SECONDS=4, ROUNDS=5, HASH=wheels|compiled)
	@$(BIN)/python -m tests.benchmarks.peers --seconds $(or $(SECONDS),4) --rounds $(or $(ROUNDS),5) --hash $(or $(HASH),wheels)

bench-processes: setup ## measure the same work for one, two and three processes
	@$(BIN)/python -m tests.benchmarks.processes

bench-users: setup ## measure log-ins and refreshes with a thousand and with a million users
	@$(BIN)/python -m tests.benchmarks.users

bench-clients: setup ## measure one instance of a client and twenty, and 2,000 calls at once
	@$(BIN)/python -m tests.benchmarks.instances

bench-recovery: setup ## measure how fast a lost database comes back, and in what memory
	@$(BIN)/python -m tests.benchmarks.recovery

bench-replay: setup ## measure how fast commands and events are replayed
	@$(BIN)/python -m tests.benchmarks.replay

sizing: setup ## measure what each command costs in CPU and bytes
	@$(BIN)/python -m tests.benchmarks.sizing

pictures: setup ## draw the pictures of the README from what is stored (MEASURE=1: the way of a log-in anew)
	@PYTHONPATH=schemas/examples $(BIN)/python -m tests.pictures $(if $(MEASURE),--measure)

scaling: setup ## measure one to three processes and each command, compute clusters: deploy/scaling.md
	@$(BIN)/python -m tests.benchmarks.scaling $(if $(SECONDS),--seconds $(SECONDS))

FLAMES := .cache/flames/installed

$(FLAMES): tests/benchmarks/flames.txt
	python3 -m venv --clear .cache/flames
	.cache/flames/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
		--only-binary :all: --require-hashes -r tests/benchmarks/flames.txt
	touch $(FLAMES)

flames: setup $(FLAMES) ## draw where the service's CPU goes in a log-in and a log-out: deploy/flames
	@$(BIN)/python -m tests.benchmarks.flames $(if $(SECONDS),--seconds $(SECONDS))

spec: setup ## write schemas/authbus/spec anew
	@$(BIN)/authbus spec

go-events: setup ## write the types of events in schemas/examples/go anew; needs Node.js and Go
	@$(BIN)/python -m tests.interop

freeze: setup ## before a release: keep this version's records and spec, which later ones are held against
	@$(BIN)/python -m tests.frozen

# uv comes from deploy/tools.txt by pip with hashes, into an environment of its own.
UV := .cache/uv/bin/uv
LOCK := UV_CACHE_DIR=.cache/uv-cache $(UV) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-build --no-header --no-annotate $(if $(UPGRADE),--upgrade) \
	--no-emit-package authbus --no-emit-package authbus-service

$(UV): deploy/tools.txt
	python3 -m venv .cache/uv
	.cache/uv/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
		--only-binary :all: --require-hashes -r deploy/tools.txt
	touch $(UV)

lock: $(UV) ## write the six files of pinned versions and hashes anew (UPGRADE=1: newest)
	$(LOCK) --extra embedded --extra otel --group dev pyproject.toml -o requirements.txt
	$(LOCK) -c requirements.txt --extra otel pyproject.toml -o deploy/requirements.txt
	$(LOCK) -c requirements.txt --group tools -o deploy/tools.txt
	$(LOCK) -c requirements.txt --group release -o deploy/release.txt
	$(LOCK) --group peers -o tests/benchmarks/peers/requirements.txt
	$(LOCK) --group flames -o tests/benchmarks/flames.txt
	@touch $(UV)

# These come from deploy/release.txt in the same way.
RELEASE := .cache/release/bin
DIST := dist
AUDITED := deploy/requirements.txt
AUDIT := build/audit.json

$(RELEASE)/cyclonedx-py: deploy/release.txt
	python3 -m venv .cache/release
	$(RELEASE)/python -m pip --disable-pip-version-check install --quiet --no-deps \
		--only-binary :all: --require-hashes -r deploy/release.txt
	touch $@

release: $(RELEASE)/cyclonedx-py ## build both wheels and list what the image is made of (CycloneDX), into dist/
	$(RELEASE)/hatchling build -t wheel -d $(abspath $(DIST))
	cd schemas && $(abspath $(RELEASE))/hatchling build -t wheel -d $(abspath $(DIST))
	$(RELEASE)/cyclonedx-py requirements deploy/requirements.txt --pyproject pyproject.toml \
		--mc-type application --output-reproducible --validate --of JSON -o $(DIST)/authbus.cdx.json

audit: $(RELEASE)/cyclonedx-py ## ask PyPI for known weaknesses of what the image is made of; fails also when it does not answer
	@mkdir -p $(dir $(AUDIT)) && rm -f $(AUDIT)
	@$(RELEASE)/pip-audit -r $(AUDITED) --strict --disable-pip --require-hashes --progress-spinner off \
		-f json -o $(AUDIT); status=$$?; \
	if [ ! -s $(AUDIT) ]; then \
		echo "audit: NOT DONE: PyPI did not answer for each of them, so nothing is known" >&2; \
	fi; exit $$status

clean: ## remove .venv and everything made by tools
	rm -rf .venv .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find service schemas tests migrations -name __pycache__ -prune -exec rm -rf {} +
