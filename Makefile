# Bare `make` prints help. Every target sets up what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup proto proto-check

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

proto: setup  ## Generate gen/ from proto/
	@rm -rf $(GEN)/ascolto && mkdir -p $(GEN)
	@$(PROTOC) --python_out=$(GEN) --mypy_out=quiet:$(GEN) $(PROTOS)
	@$(PROTOC) --grpc_python_out=$(GEN) --mypy_grpc_out=quiet:$(GEN) $(SERVICES)

proto-check: setup  ## Lint the protos, check gen/ is current, check nothing breaks since the last tag
	@$(BIN)/buf lint
	@tools/proto-check
