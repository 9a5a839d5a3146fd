# The commands of Watchfloor; CI calls the same ones.
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench screenshots clean

help: ## list the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: ## install everything into this folder
	@scripts/setup

run: setup ## start the product and print its address
	@$(BIN)/watchfloor up

test: setup ## set up, then run all tests
	@scripts/setup --tests
	@scripts/test

lint: setup ## style and types
	@scripts/lint

bench: setup ## NAMES="live start" QUICK=1
	@scripts/setup --tests
	@$(BIN)/python -m benchmarks $(NAMES) $(if $(QUICK),--quick)

screenshots: setup ## render docs/img from a running product
	@scripts/setup --tests
	@$(BIN)/python -m scripts.screenshots

clean: ## remove what setup made
	rm -rf .venv node_modules var
