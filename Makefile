# Bare `make` prints help. Every target sets up what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup proto proto-check lint format test test-unit test-faults test-fuzz test-containers demo up down bench train teacher eval lint-deploy

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .local/tools
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)
export UV_PYTHON_DOWNLOADS := never
GEN ?= gen
PROTOS := $(shell cd proto && find ascolto -name '*.proto' | sort)
SERVICES := $(filter %_service.proto,$(PROTOS))
# Where protoc finds google/protobuf/*.proto: they lie in the grpcio-tools wheel.
WELL_KNOWN = $(shell $(BIN)/python -c "import grpc_tools, pathlib; print(pathlib.Path(grpc_tools.__file__).parent / '_proto')")
PROTOC = PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m grpc_tools.protoc -I proto -I $(WELL_KNOWN)

help:  ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(VENV)/.ready  ## Install everything into .venv (called by the other targets)

$(VENV)/.ready: pyproject.toml uv.lock
	@command -v uv >/dev/null || [ -x $(TOOLS)/bin/uv ] || { $(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install --quiet 'uv>=0.7,<1'; }
	@$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $@

demo: setup  ## Run everything on this machine and watch real conversations travel (ONCE=1 ends by itself)
	@$(BIN)/ascolto demo $(if $(ONCE),--once) $(DEMO)

test: setup  ## Prove it: unit, contract, integration, end-to-end
	@$(BIN)/pytest tests/unit tests/contract tests/integration --numprocesses 2 --dist loadfile $(PYTEST)
	@$(BIN)/pytest tests/e2e $(PYTEST)

test-unit: setup  ## The tests that need no server
	@$(BIN)/pytest tests/unit tests/contract -m 'not integration and not e2e' $(PYTEST)

test-fuzz: setup  ## A hundred thousand garbled inputs for each connector and verifier
	@ASCOLTO_FUZZ=100000 $(BIN)/pytest tests/unit/ingest/connectors/test_fuzz.py tests/unit/ingest/test_verification.py -n 2 --timeout 3600 $(PYTEST)

test-faults: setup  ## The fault suite at full size
	@ASCOLTO_FAULTS=full $(BIN)/pytest tests/e2e -m faults $(PYTEST)

test-containers: setup  ## The integration tests on testcontainers (needs a Docker daemon)
	@$(BIN)/pytest tests/integration --infra=containers $(PYTEST)

lint: setup proto-check  ## Style, types, layers, contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup  ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix --quiet; $(BIN)/ruff format --quiet

lint-deploy: setup  ## Build every overlay and check it against the Kubernetes schemas (needs Go)
	@deploy/check

bench: setup  ## Measure what is fast, as ratios in one run
	@$(BIN)/python -m bench $(BENCH)

train: setup  ## Train the classifier (DATA=folder; with LABELS=file OUTPUT=file also on what your people said)
	@$(BIN)/python -m services.routing.model.train $(if $(DATA),--data $(DATA)) $(if $(LABELS),--labels $(LABELS)) $(if $(OUTPUT),--output $(OUTPUT))

teacher: setup  ## Train the classifier's teacher and write what it teaches (DATA=folder; hours; TEACHER=file keeps it)
	@$(UV) run --frozen --quiet --group teacher python -m services.routing.model.teach --data $(DATA) $(if $(TEACHER),--teacher $(TEACHER))

eval: setup  ## Judge the classifier on every labelled set, into docs/classifier.md (DATA=folder); print it with MODEL=file or LABELS=file
	@$(BIN)/python -m services.routing.model.evaluate $(if $(DATA),--data $(DATA)) $(if $(MODEL),--model $(MODEL)) $(if $(LABELS),--labels $(LABELS)) $(if $(MODEL)$(LABELS),,--write)

up:  ## Kafka and PostgreSQL by Docker
	@docker compose --file deploy/compose.yaml up --detach --wait

down:  ## Stop what `up` started
	@docker compose --file deploy/compose.yaml down

proto: setup  ## Generate gen/ from proto/
	@rm -rf $(GEN)/ascolto && mkdir -p $(GEN)
	@$(PROTOC) --python_out=$(GEN) --mypy_out=quiet:$(GEN) $(PROTOS)
	@$(PROTOC) --grpc_python_out=$(GEN) --mypy_grpc_out=quiet:$(GEN) $(SERVICES)

proto-check: setup  ## Lint the protos, check gen/ is current, check nothing breaks since the last tag
	@$(BIN)/buf lint
	@tools/proto-check
