# Everything here starts from Python 3.11 or newer and make; `make help` lists the targets.
# Variables: PYTHON (the interpreter to set up with), TORCH (auto, cpu, any), ARGS (more arguments for pytest).

PYTHON ?= $(shell tools/find-python)
ENV    := .venv/bin/python
LIGHT  := .venv/.light
READY  := .venv/.ready

.DEFAULT_GOAL := help

.PHONY: help setup demo test test-all fuzz lint types format docs bench constraints clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv and install everything that is needed

$(READY): pyproject.toml constraints.txt tools/set_up.py tools/npm_package.py tools/web_runtime.py tools/axe.py
	@test -n "$(PYTHON)"
	"$(PYTHON)" tools/set_up.py
	@touch $(LIGHT) $@

# What a user installs without an extra; where everything is installed, that does.
$(LIGHT): pyproject.toml constraints.txt tools/set_up.py
	@test -n "$(PYTHON)"
	"$(PYTHON)" tools/set_up.py --light
	@touch $@

demo: $(LIGHT) ## Learn from drawn pictures, evaluate, predict, write a report to demo/
	.venv/bin/inkling demo --output demo/

test: $(READY) ## Run the tests, but for those that only repeat at length
	OMP_NUM_THREADS=1 $(ENV) -m pytest -n auto --dist worksteal -m "not thorough" $(ARGS)

test-all: $(READY) ## Run the thorough tests too, before a release: takes an hour
	INKLING_SEQUENCES=20 OMP_NUM_THREADS=1 $(ENV) -m pytest -n auto --dist worksteal $(ARGS)

fuzz: $(READY) ## Damage files of every kind at random, 100,000 pictures and as many of the others: takes half an hour
	INKLING_FUZZ=100000 OMP_NUM_THREADS=1 PYTHONFAULTHANDLER=1 $(ENV) -m pytest -n auto tests/test_fuzz.py tests/test_fuzz_boxes.py tests/test_fuzz_bodies.py $(ARGS)

lint: $(READY) ## Check style and formatting
	$(ENV) -m ruff check .
	$(ENV) -m ruff format --check .

types: $(READY) ## Check types
	$(ENV) -m mypy

format: $(READY) ## Format the code and mend what can be mended
	$(ENV) -m ruff check --fix .
	$(ENV) -m ruff format .

docs: $(READY) ## Write the generated reference pages anew
	$(ENV) tools/reference.py
	$(ENV) tools/memory_schema.py
	$(ENV) tools/figures.py

bench: $(READY) ## Run all benchmarks, which takes hours; needs the development data in ../shared
	$(ENV) bench/heads.py
	$(ENV) bench/coco.py
	$(ENV) bench/embed.py
	$(ENV) bench/pocket.py
	$(ENV) bench/pocket_choice.py
	$(ENV) bench/joined.py
	$(ENV) bench/export.py
	$(ENV) bench/advise.py
	$(ENV) bench/advise_choice.py
	$(ENV) bench/audit.py
	$(ENV) bench/audit_size.py
	$(ENV) bench/prompts.py
	$(ENV) bench/memory.py
	$(ENV) bench/speed.py
	$(ENV) bench/start.py
	$(ENV) bench/serve.py
	$(ENV) bench/page.py
	$(ENV) bench/unknown.py
	$(ENV) bench/discovery.py
	$(ENV) bench/change_choice.py
	$(ENV) bench/again_choice.py
	$(ENV) bench/negatives_choice.py
	$(ENV) bench/sets_choice.py
	$(ENV) bench/views_at_use.py
	$(ENV) bench/transductive_sets.py
	$(ENV) bench/unlabelled_choice.py
	$(ENV) bench/two_shots_choice.py
	$(ENV) bench/within_class_prior.py
	$(ENV) bench/promises.py
	$(ENV) bench/finetune.py
	$(ENV) bench/finetune_unknown.py
	$(ENV) bench/scale.py

constraints: $(READY) ## Resolve all dependencies anew and write constraints.txt
	$(ENV) tools/constraints.py

clean: ## Remove .venv and everything else that was made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist demo
