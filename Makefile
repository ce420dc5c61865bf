# WikiVisage. `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := -q -n 3 --dist loadfile --no-loadscope-reorder
export PORT SANDBOX_PORT DATA_DIR WIKI

.DEFAULT_GOAL := help

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/installed  ## The whole tool on this machine, with a sandbox wiki (PORT=8000; WIKI=commons for the real one)
	@$(BIN)/python manage.py run

test: $(VENV)/installed  ## Every test that needs no server
	@$(BIN)/pytest $(PYTEST) $(ARGS)

test-services: $(VENV)/installed-mariadb  ## The tests on MariaDB and Redis (DATABASE_URL, REDIS_URL)
	@DATABASE_URL=$${DATABASE_URL:-mysql://root@127.0.0.1/wikivisage} REDIS_URL=$${REDIS_URL:-redis://127.0.0.1:6379/9} \
		$(BIN)/pytest $(PYTEST) -m "not browser" $(addprefix --ignore tests/,sandbox contract classify/learning crawler/test_engine.py crawler/test_opencv_engine.py) $(ARGS)

smoke: $(VENV)/installed  ## The whole path without a browser, on fresh data; prints one JSON line at the end
	@$(BIN)/python -m bench.smoke

bench: bench-detect

bench-detect: $(VENV)/installed  ## How many faces are found, in what time and memory (PHOTOS=folder with manifest.csv)
	@$(BIN)/python -W ignore -m bench.detection $(if $(PHOTOS),--photos $(PHOTOS))

bench-write: $(VENV)/installed  ## How fast and how carefully claims are written, with faults and kills (13 minutes; QUICK=1: one)
	@$(BIN)/python -W ignore -m bench.writing

bench-learning: $(VENV)/installed  ## How few answers a tag needs, against the centroid rule (2 minutes; QUICK=1: 20 s; ENCODINGS=folder)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -W ignore -m bench.learning

bench-rescore: $(VENV)/installed  ## From an answer to the next screen, of 10,000 to 1,000,000 faces (2 minutes)
	@$(BIN)/python -W ignore -m bench.rescore

lint: $(VENV)/installed  ## Style, types and the import law
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache

setup: $(VENV)/installed  ## Only set up the environment

lock:  ## Write constraints.txt and requirements.lock anew (needs uv)
	uv pip compile requirements.in --universal --upgrade --no-header --no-annotate \
		--no-emit-package dlib --no-emit-package wikivisage -o constraints.txt
	uv pip compile requirements.in --universal --generate-hashes --no-header --no-annotate -c constraints.txt \
		--no-emit-package dlib --no-emit-package wikivisage -o requirements.lock

clean:  ## Remove the environment and what was built; data in var/ is kept
	rm -rf $(VENV) build *.egg-info

$(VENV)/installed: pyproject.toml constraints.txt packaging/dlib/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "WikiVisage needs Python 3.11 or later; choose one: make PYTHON=python3.12 run")'
	@echo "Setting up the environment in $(VENV) (a minute or two, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt ./packaging/dlib -e '.[dev]'
	@touch $@

$(VENV)/installed-mariadb: $(VENV)/installed
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,mariadb]'
	@touch $@

.PHONY: help run test test-services smoke bench bench-detect bench-write bench-learning bench-rescore lint setup lock clean
