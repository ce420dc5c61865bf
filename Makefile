# WikiVisage. `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES := $(shell nproc 2>/dev/null || echo 2)
# Two more than there are cores, since many tests wait for others' processes; each takes 600 MB
WORKERS ?= $(shell echo $$(($(CORES) < 5 ? $(CORES) + 2 : 6)))
PYTEST := -q --dist loadgroup --no-loadscope-reorder -n
# Tests that a database or a broker can't change, or whose queries are asked by others that stay:
# every page is asked by wikivisage/test_queries.py, every deed by the tests of its service
NO_SERVER := sandbox contract classify_pages \
	$(addprefix classify/,learning test_certainty.py test_cuts.py test_exemplars.py test_real_photos.py) \
	$(addprefix core/,test_deploy.py test_environment.py test_image.py test_languages.py test_messages.py test_rehearsal.py \
		test_translated_pages.py) \
	$(addprefix crawler/,test_ahead.py test_engine.py test_engine_switch.py test_hashing.py \
		test_opencv_engine.py test_pictures.py test_source_views.py) \
	$(addprefix hostile/,test_audit.py test_matrix.py test_pictures.py test_texts.py) \
	$(addprefix operation/,test_logs.py test_processes.py) \
	$(addprefix projects/,test_charts.py test_new.py test_new_places.py test_outgoing.py test_wikidata.py) \
	$(addprefix sdc/,test_cautions.py test_export.py test_pages.py test_preview.py test_refusals.py \
		test_stateful.py test_stop_page.py test_trouble.py test_undo_pages.py) \
	$(addprefix security/,test_canary.py test_headers.py) \
	$(addprefix system/,test_bench_writing.py test_chaos.py test_front.py test_full_disk.py test_hanging.py test_killing.py \
		test_start.py test_tls.py) \
	$(addprefix wikivisage/,test_home.py test_no_search_by_face.py test_pages.py test_worth.py)
# Of uv: no registry's name, and no package of this repository, in what is written
LOCK := --no-header --no-annotate --no-emit-package dlib --no-emit-package wikivisage
export PORT SANDBOX_PORT DATA_DIR WIKI PLATFORM
# What was compiled is kept: the tests and the supervisor start many processes
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/installed  ## The whole tool on this machine, with a sandbox wiki (PORT=8000; WIKI=commons for the real one)
	@$(BIN)/python manage.py run

test: $(VENV)/installed  ## The quick tests: all that need no process, browser, engine or long story (see tests/needs.py)
	@$(BIN)/pytest $(PYTEST) $(CORES) --unmarked $(ARGS)

test-all: $(VENV)/installed  ## Every test that needs no server
	@$(BIN)/pytest $(PYTEST) $(WORKERS) $(ARGS)

coverage: $(VENV)/installed  ## Which lines and branches of the apps the tests reach (an hour; fails below 95 %)
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/coverage run -m pytest $(PYTEST) $(WORKERS) $(ARGS)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

test-services: $(VENV)/installed-mariadb  ## The tests on MariaDB and Redis (DATABASE_URL, REDIS_URL)
	@DATABASE_URL=$${DATABASE_URL:-mysql://root@127.0.0.1/wikivisage} REDIS_URL=$${REDIS_URL:-redis://127.0.0.1:6379/9} \
		$(BIN)/pytest $(PYTEST) $(WORKERS) -m "not browser" $(addprefix --ignore tests/,$(NO_SERVER)) $(ARGS)

smoke: $(VENV)/installed  ## The whole path without a browser, on fresh data; prints one JSON line at the end
	@$(BIN)/python -m bench.smoke

bench: bench-detect

bench-detect: $(VENV)/installed  ## How many faces are found, in what time and memory (PHOTOS=folder with manifest.csv)
	@$(BIN)/python -W ignore -m bench.detection $(if $(PHOTOS),--photos $(PHOTOS))

bench-write: $(VENV)/installed  ## How fast and how carefully claims are written, with faults and kills (15 minutes; QUICK=1: three)
	@$(BIN)/python -W ignore -m bench.writing

bench-learning: $(VENV)/installed  ## How few answers a tag needs, against the centroid rule (2 minutes; QUICK=1: 20 s; ENCODINGS=folder)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -W ignore -m bench.learning

bench-rescore: $(VENV)/installed  ## From an answer to the next screen, of 10,000 to 1,000,000 faces (2 minutes)
	@$(BIN)/python -W ignore -m bench.rescore

bench-pages: $(VENV)/installed-mariadb  ## How quick every page is beside 100,000 faces and 20 members (3 minutes; DATABASE_URL, else the local MariaDB; QUICK=1)
	@$(BIN)/python -W ignore -m bench.pages

bench-room: $(VENV)/installed-mariadb  ## Thirty people who answer beside 100,000 faces, and what it takes against af8b1b7 (6 minutes; MariaDB, Redis; QUICK=1)
	@$(BIN)/python -W ignore -m bench.room

fuzz: $(VENV)/installed  ## Damaged pictures into the decoder, as many as go into a minute (SEED=, SECONDS=60)
	@SEED=$(SEED) SECONDS=$(SECONDS) $(BIN)/python -W ignore -m tests.hostile.fuzz_decoder

bench-capacity: $(VENV)/installed-mariadb  ## What an operator must reckon with: database, memory, connections, pictures (5 minutes; MariaDB, Redis)
	@$(BIN)/python -W ignore -m bench.capacity

lint: $(VENV)/installed  ## Style, types and the import law
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory licences

licences: $(VENV)/installed  ## Whether each package may be used under the GPL-3.0 (docs/licences.md)
	@$(BIN)/pip-licenses >/dev/null && echo "Licences: all packages are on the list"

audit:  ## Known weaknesses of the packages in requirements.lock (needs the network, and uv or pipx)
	@run=$$(command -v uvx || command -v pipx) || { echo "NOT AUDITED: neither uv nor pipx is here"; exit 2; }; \
	case $$run in *pipx) run="$$run run";; esac; \
	told=$$($$run pip-audit --strict --disable-pip --requirement requirements.lock 2>&1); status=$$?; echo "$$told"; \
	case $$told in *"nown vulnerabilit"*) exit $$status;; *) echo "NOT AUDITED: pip-audit could not run"; exit 2;; esac

messages: $(VENV)/installed  ## Take new messages into the files for translators, and compile these
	@$(BIN)/python manage.py messages

messages-check: $(VENV)/installed  ## What is not translated, or not marked for translation
	@$(BIN)/python manage.py messages check

chaos: $(VENV)/installed-mariadb  ## The whole system under work and faults: what is lost, doubled, stuck (SEED=, FAULTS=300; QUICK=1)
	@$(BIN)/python -W ignore -m bench.chaos

soak: $(VENV)/installed  ## Whether the detect worker grows, over PICTURES=3000 and crashes
	@$(BIN)/python -W ignore -m bench.soak

test-compose: $(VENV)/installed  ## The operator's pages on a real Docker Engine of its own (root; 20 minutes; PLATFORM=toolforge; see bench/compose/__init__.py)
	@$(BIN)/python -W ignore -m bench.compose

tour: $(VENV)/installed  ## The pictures of docs/tour.md, taken on the running system (4 minutes; needs Chromium)
	@$(BIN)/python -W ignore -m bench.tour

setup: $(VENV)/installed  ## Only set up the environment

lock:  ## Write constraints.txt, both locks and the wheel of packaging/dlib again (needs uv)
	uv pip compile requirements.in --universal --upgrade $(LOCK) -o constraints.txt
	uv pip compile requirements.in --universal --generate-hashes -c constraints.txt $(LOCK) -o requirements.lock
	uv pip compile requirements.prod.in --universal --generate-hashes -c constraints.txt $(LOCK) -o requirements.prod.lock
	rm -f packaging/*.whl
	uv build --wheel packaging/dlib --out-dir packaging --no-create-gitignore
	wheel=$$(echo packaging/*.whl) && hash=$$(sha256sum $$wheel | cut -d' ' -f1) && \
		sed -i "s|^\./packaging/.*|./$$wheel --hash=sha256:$$hash|" requirements.txt

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

.PHONY: coverage help fuzz run test test-all test-services test-compose smoke bench bench-detect bench-write bench-learning bench-rescore bench-pages bench-room chaos soak lint licences audit messages messages-check setup lock clean
