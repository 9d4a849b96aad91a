# Kesher. `make help` lists what there is; every target installs what it needs.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
TS_SOURCES := $(wildcard baileys-ecs/src/*.ts baileys-ecs/src/*/*.ts simulator/src/*.ts simulator/src/*/*.ts)

.PHONY: help setup installed demo up test lint lint-python lint-node format unit contract integration infrastructure e2e node-test \
	contracts synth bundles lock benchmark chaos-gateway crossing-gateway storm-gateway outage-gateway latency-gateway soak-gateway eval clean

help: ## this list
	@grep -hE '^[a-z0-9 -]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-15s %s\n", $$1, $$2 }'

setup: ## install everything, in this folder only
	@$(MAKE) --no-print-directory --jobs=2 installed # Python and Node at the same time

installed: .stamps/python .stamps/build
	@:

demo: setup ## a simulated customer writes, the whole pipeline answers
	$(BIN)/python -m kesher demo

up: setup ## the pipeline on this machine with your real WhatsApp (shows a QR)
	$(BIN)/python -m kesher up

test: setup ## everything that CI checks
	@scripts/test

lint: setup ## ruff, mypy --strict, eslint, tsc --strict, contracts up to date
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint-python lint-node

lint-python:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m scripts.contracts --check

lint-node:
	npx eslint --max-warnings 0 .
	npm run --silent typecheck --workspaces --if-present

format: setup ## put the Python sources into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

unit contract integration infrastructure e2e: setup ## one kind of Python test
	$(BIN)/pytest tests/$@

node-test: setup ## the gateway's and the simulator's tests
	npm test --workspaces --if-present

contracts: setup ## write contracts/ and openapi.json anew
	$(BIN)/python -m scripts.contracts

synth: setup ## the CloudFormation templates, into cdk.out/
	PATH="$(CURDIR)/$(BIN):$$PATH" npx cdk synth --quiet

benchmark: setup ## hop times, import times and bundle sizes
	$(BIN)/python -m benchmarks

eval: setup ## the scenarios of evals/ with the stand-in, and with your model if OPENAI_API_KEY or OPENAI_BASE_URL is set
	$(BIN)/python -m kesher eval
	@if [ -n "$${OPENAI_API_KEY:-}$${OPENAI_BASE_URL:-}" ]; then \
	  $(BIN)/python -m kesher eval --model "$${OPENAI_MODEL:-gpt-4.1-mini}" $${OPENAI_BASE_URL:+--base-url "$$OPENAI_BASE_URL"}; \
	fi

KILLS ?= 500
chaos-gateway: setup ## kill -9 the gateway KILLS times under traffic, and replace containers; ends with the counts
	cd baileys-ecs && PATIENCE_MS=300000 KILLS=$(KILLS) node --import tsx test/chaos/kills.ts

ANSWERS ?= 1000
crossing-gateway: setup ## ANSWERS that cross customers' bursts while the database is slow; ends with the counts
	cd baileys-ecs && PATIENCE_MS=300000 ANSWERS=$(ANSWERS) node --import tsx test/chaos/crossing.ts

NUMBERS ?= 100
storm-gateway: setup ## WhatsApp ends the sockets of NUMBERS numbers at once and refuses them; ends with the connections a second
	cd baileys-ecs && PATIENCE_MS=300000 NUMBERS=$(NUMBERS) node --import tsx test/chaos/storm.ts

latency-gateway: setup ## from WhatsApp to the webhook beside bare Baileys, 60 ms away; fails if the p99 is more than 3 x
	cd baileys-ecs && node --import tsx test/chaos/latency.ts

OUTAGE ?= 60
outage-gateway: setup ## webhook and database away for OUTAGE seconds, sockets cut, under traffic; ends with the counts
	cd baileys-ecs && PATIENCE_MS=300000 OUTAGE=$(OUTAGE) node --import tsx test/chaos/outages.ts

HOURS ?= 12
soak-gateway: setup ## HOURS of three busy businesses, sixty times as fast; ends with the counts and how much memory grew
	cd baileys-ecs && PATIENCE_MS=300000 HOURS=$(HOURS) node --import tsx test/chaos/soak.ts

lock: .stamps/uv ## resolve requirements/*.in and the npm workspaces anew
	scripts/lock

clean: ## remove everything that was installed or built
	rm -rf .venv node_modules */node_modules .stamps .build .kesher cdk.out* */dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.stamps/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Kesher needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 setup"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@mkdir -p .stamps && touch $@

.stamps/python: .stamps/uv requirements/dev.txt pyproject.toml
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/uv.txt requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.stamps/node: package-lock.json package.json contracts/package.json baileys-ecs/package.json simulator/package.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || { echo "Kesher needs Node.js 20.19 or newer; node is $$(node --version)"; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@mkdir -p .stamps && touch $@

.stamps/build: .stamps/node contracts/schema.json contracts/types.d.ts tsconfig.base.json $(TS_SOURCES)
	npm run --silent build
	@touch $@
