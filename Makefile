# Every command a developer needs. `make` alone lists them.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := -m pip --disable-pip-version-check
TOOLS := build/tools

.PHONY: help install docs docs-serve notebooks hooks dist lock audit-dependencies sbom image-digests demo fetch fetch-all browser screenshots test lint types format train train-requests obedience evaluate bench wheel-check vllm-check ci clean
help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# Every file is checked against its hash. uv takes a tenth of pip's time, but knows nothing of pip's configuration: where
# it fails, pip. PyTorch without CUDA, where that is found; else the usual one.
LOCKED := --require-hashes --no-deps
LINKS := $(addprefix --find-links ,$(PIP_FIND_LINKS))
from_lock = $(TOOLS)/uv/bin/uv pip install --quiet --system-certs --python $(BIN)/python $(LINKS) $(LOCKED) -r locks/$(1).txt \
  || $(BIN)/python $(PIP) install --quiet $(LOCKED) -r locks/$(1).txt
$(STAMP): pyproject.toml coldstart/__init__.py constraints.txt $(wildcard locks/*.txt)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "coldstart needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	-$(MAKE) $(TOOLS)/uv
	$(call from_lock,dev)
	$(call from_lock,torch-cpu) || $(call from_lock,torch)
	$(BIN)/python $(PIP) install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python $(PIP) check || { echo "locks/ does not fit pyproject.toml: make lock"; exit 1; }
	@touch $@

install: $(STAMP)  ## virtual environment of the locked dependencies, by hash

$(TOOLS)/%: locks/tools.txt
	$(PYTHON) -m venv $@
	$@/bin/python $(PIP) install --quiet -c locks/tools.txt $(@F)
	@touch $@

hooks: $(STAMP) $(TOOLS)/pre-commit  ## check style, imports and types at every commit
	$(TOOLS)/pre-commit/bin/pre-commit install

lock: $(TOOLS)/uv  ## write the hashes of locks/ again, after a change of dependencies (online)
	$(PYTHON) locks/make.py $(TOOLS)/uv/bin/uv

audit-dependencies: $(TOOLS)/pip-audit  ## known vulnerabilities of the locked dependencies (online)
	@$(TOOLS)/pip-audit/bin/pip-audit --strict --disable-pip --require-hashes -r locks/dev.txt --timeout 15 \
	  --progress-spinner off || { echo "pip-audit found something, or could not ask: offline, nothing \
	has been checked" >&2; exit 1; }

sbom: $(TOOLS)/cyclonedx-bom  ## bill of materials of the locked dependencies: build/sbom.cdx.json
	$(TOOLS)/cyclonedx-bom/bin/cyclonedx-py requirements --pyproject pyproject.toml \
	  --output-reproducible -o build/sbom.cdx.json locks/dev.txt

image-digests:  ## pin the base images of deploy/ by digest (needs docker and the registry)
	$(PYTHON) deploy/pin_images.py

fetch: $(STAMP)  ## models and data of the default artifact into the cache
	$(BIN)/coldstart fetch

fetch-all: $(STAMP)  ## these, and MovieLens-100K
	$(BIN)/coldstart fetch all

demo: fetch  ## six sentences, then three profiles: what was understood, ten films, and why
	$(BIN)/coldstart recommend --sentences examples/sentences.txt -k 10
	$(BIN)/coldstart recommend --profile examples/new_users.json -k 10

browser:  ## Debian's Chromium, for the tests of the page (skipped without)
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null || exit 0; \
	  run=; [ "$$(id -u)" = 0 ] || run="sudo -n"; \
	  $$run apt-get update -qq && $$run apt-get install -qq -y --no-install-recommends \
	    chromium fonts-wqy-microhei fonts-inter; } >/dev/null \
	  || echo "no chromium: the tests of the page are skipped"

screenshots: fetch-all browser  ## pictures of the page: docs/images, and of each task in build/tasks
	$(BIN)/python benchmarks/screenshots.py
	@mkdir -p build/tasks
	COLDSTART_SCREENSHOTS=build/tasks $(BIN)/python -m pytest -q -n0 tests/serve/page/test_tasks.py

# Two processes of one thread each: torch's threads of one would slow the other down many times.
# SlipCover leaves a line alone once it has run: coverage.py takes 70 to 80 % more time on Python 3.11.
test: fetch-all browser  ## the whole test suite, and the share of lines that it runs
	@mkdir -p build
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE \
	  $(BIN)/python -m slipcover --source coldstart --json --out build/coverage.json \
	  -m pytest -n 2 --dist loadfile
	@$(BIN)/python tests/covered.py build/coverage.json

obedience: fetch  ## what sentences ask for is shown: fails below .85
	$(BIN)/coldstart benchmark --sentences builtin --artifact adapters/movies --fail-below 0.85 --show 3

lint: $(STAMP)  ## style and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)  ## strict types
	$(BIN)/mypy

format: $(STAMP)  ## rewrite the code in the house form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: fetch-all  ## train adapters/ml-100k again (about an hour on two cores)
	$(BIN)/coldstart train --data ml-100k --out adapters/ml-100k

# ReDial's files, from redialdata.github.io, in the folder that REDIAL names.
train-requests: fetch  ## train adapters/movies again: REDIAL=FOLDER (some hours on two cores)
	$(BIN)/coldstart train --requests "$(REDIAL)" --data movies --start adapters/ml-100k \
	  --reading-epochs 4 --out adapters/movies

evaluate: fetch-all  ## the figures on MovieLens-100K, on the held-out users
	$(BIN)/coldstart evaluate adapters/ml-100k --jobs 2 --card --out docs/results/ml-100k

bench: fetch-all  ## the speed benchmarks, each beside its peer (an hour, on a quiet machine)
	$(BIN)/python benchmarks/serving.py --users 10 --out docs/results/serving
	$(BIN)/python benchmarks/start.py --runs 3 --out docs/results/start
	$(BIN)/python benchmarks/throughput.py --users 32 --ctranslate2 --out docs/results/throughput
	$(BIN)/python benchmarks/steps.py --out docs/results/steps
	$(BIN)/python benchmarks/training.py --out docs/results/training
	$(BIN)/python benchmarks/grounding_scale.py --out docs/results/grounding-scale
	$(BIN)/python benchmarks/catalog_scale.py --out docs/results/catalog-scale
	$(BIN)/python benchmarks/encoder_start.py --out docs/results/encoder-start
	$(BIN)/python benchmarks/growth.py --out docs/results/growth
	$(BIN)/python benchmarks/load_compare.py --out docs/results/load
	$(BIN)/python benchmarks/ray_serve.py --seconds 30 --out docs/results/ray-serve
	$(BIN)/python benchmarks/tenants.py --out docs/results/tenants
	$(BIN)/python benchmarks/distributed_training.py --steps 8 --out docs/results/distributed-training

docs: $(STAMP)  ## the documentation site, into build/site; fails on a warning
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@$(BIN)/python website/check.py build/site

docs-serve: $(STAMP)  ## the documentation site on this machine, built again after each change
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve

notebooks: fetch-all  ## run the notebooks again and keep what they show
	$(BIN)/python notebooks/run.py

dist: $(STAMP) $(TOOLS)/twine  ## source archive and wheel, as they are published: build/dist
	rm -rf build/dist
	$(BIN)/python -m hatchling build -t sdist -t wheel -d build/dist
	$(TOOLS)/twine/bin/twine check --strict build/dist/*

wheel-check: dist  ## the wheel of build/dist recommends in a clean environment
	rm -rf build/wheel-check
	$(PYTHON) -m venv build/wheel-check/env
	build/wheel-check/env/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt build/dist/*.whl
	cp -r adapters build/wheel-check/
	cd build/wheel-check && env/bin/coldstart --version && env/bin/coldstart recommend \
	  --about "a gentle comedy" -k 3 --json \
	  | env/bin/python -c 'import json, sys; assert len(json.load(sys.stdin)["items"]) == 3'

vllm-check: fetch-all  ## the contract of generators against a real vLLM on this CPU (opt-in, 2 GB)
	$(BIN)/python benchmarks/vllm_check.py

ci: lint types docs test  ## what CI runs

clean:  ## remove the virtual environment and caches of tools
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
