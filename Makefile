# make lab        open the course in JupyterLab
# make setup      all that contributors need
# make style      format, style, types
# make format     write the format, mend what can be mended
# make quick      that, and the tests of the core that are short: half a minute
# make test       style, all tests that decide, and a share of what is long: minutes
# make proofs     all that is long, and what it covered
# make coverage   which lines of the core the quick tests run
# make lowest     what users see, with the lowest versions that pyproject.toml asks for
# make pythons    the same with the newest, under each of PYTHONS
# make wheel      wheel and sdist, in dist/
# make site       the course as pages, with the course in a browser beside them, in build/site
# make lite       the course in a browser only, in build/site/lite: static files, for any web server
# Each makes the virtual environment .venv first, and again when pyproject.toml changes.
#
#   make lab LAB_ARGS=--no-browser     do not open a browser
#   make test PYTEST_ARGS="-k fork"    some of the tests
#   make test ANONLAB_SEED=text        the share that this text chooses; the commit, if not said
#   make lab PYTHON=python3.13         another Python, 3.11 or newer

PYTHON ?= $(shell for python in python3.11 python3 python3.14 python3.13 python3.12; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
LAB_ARGS ?=
PYTEST_ARGS ?=
ANONLAB_SEED ?= $(or $(shell git rev-parse --short=8 HEAD 2>/dev/null),none)

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CHECKED := anonlab tests $(wildcard benchmarks lite notebooks/source site solutions)
PYTEST := $(BIN)/python -m pytest
SPREAD := -n auto --maxprocesses 8 --dist loadgroup
# The core: its rooms, their tests, and what is none of the quick lane's business.
CORE := machine mm rmap kernel proof
CORE_TESTS := tests/test_layers.py tests/test_the_afternoon.py $(wildcard $(addprefix tests/,$(CORE)))
SHORT := -m "not slow and not browser and not linux and not grading"
# What users see, for lanes with other versions and other Pythons; make test has it as well.
LANE_TESTS := tests/cli tests/formats tests/kernel tests/machine tests/notebook tests/rmap \
  tests/test_learn.py tests/test_wheel.py tests/test_windows_names.py
PYTHONS ?= python3.12 python3.13
# Jupyter refuses to run as root without being told.
ROOT_ARGS := $(if $(filter 0,$(shell id -u)),--allow-root)
# No pop-up that asks about news: it would cover the first notebook.
SETTINGS := {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
# A virtual environment knows its folder: a copy of it in another place is made again.
STALE := $(shell [ "$$(cat .venv/place 2>/dev/null)" = "$$PWD" ] || echo stale)

.PHONY: lab setup style format quick test proofs coverage lowest pythons wheel site lite clean stale

lab: .venv/lab.done
	$(BIN)/python -m jupyterlab --ip=127.0.0.1 --ServerApp.root_dir=notebooks \
	  --LabApp.default_url=/lab/tree/00_start_here.ipynb $(ROOT_ARGS) $(LAB_ARGS)

setup: .venv/test.done

style: .venv/test.done
	$(BIN)/python -m ruff format --check $(CHECKED)
	$(BIN)/python -m ruff check $(CHECKED)
	$(BIN)/python -m mypy --strict anonlab

format: .venv/test.done
	$(BIN)/python -m ruff format $(CHECKED)
	$(BIN)/python -m ruff check --fix $(CHECKED)

quick: style
	$(PYTEST) -q $(SPREAD) $(SHORT) $(CORE_TESTS) $(PYTEST_ARGS)

test: style build/lite-python/done
	$(PYTEST) $(SPREAD) --share-seed "$(ANONLAB_SEED)" $(PYTEST_ARGS)

proofs: .venv/test.done build/lite-python/done
	$(PYTEST) $(SPREAD) -m slow --covered $(PYTEST_ARGS)
	$(BIN)/anonlab verify --design all --ops 200000

coverage: .venv/test.done
	@mkdir -p build
	$(BIN)/python -m coverage run -m pytest -q $(SHORT) $(CORE_TESTS) $(PYTEST_ARGS) > build/quick.txt 2>&1 \
	  || { cat build/quick.txt; exit 1; }
	$(BIN)/python -m coverage report

lowest: .venv/lab.done
	$(call LANE,build/lowest,$(BIN)/python,--resolution lowest-direct)

pythons: .venv/lab.done
	$(foreach python,$(PYTHONS),$(call LANE,build/$(notdir $(python)),$(python),) &&) true

wheel: .venv/lab.done
	$(PIP) build
	$(BIN)/python -m build --outdir dist

site: .venv/test.done
	$(BIN)/python site/build.py
	$(MAKE) lite

# NumPy comes from Pyodide's distribution: make lite WASM_WHEELS=folder takes it from there.
# It has an environment of its own: what JupyterLite brings disturbs a JupyterLab beside it.
lite: build/lite-python/done
	build/lite-python/bin/python lite/build.py

build/lite-python/done: .venv/lab.done
	$(PYTHON) -m venv --clear build/lite-python
	build/lite-python/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[lite]'
	touch $@

export WASM_WHEELS ?=

# $(call LANE,FOLDER,PYTHON,OPTIONS): an environment of its own in FOLDER, and the tests in it. uv
# has what pip has not: it can choose the lowest versions.
LANE = $(PIP) uv && $(BIN)/uv venv --quiet --clear --no-python-downloads --python $(2) $(1) \
  && $(BIN)/uv pip install --quiet --python $(1) $(3) '.[test]' \
  && $(1)/bin/python -m pytest -q $(SPREAD) $(SHORT) -p no:cacheprovider $(LANE_TESTS) $(PYTEST_ARGS)

.venv/lab.done: pyproject.toml anonlab/version.py $(STALE)
	@[ -n "$(PYTHON)" ] || { echo "anonlab needs Python 3.11 or newer, and none was found:" \
	  "install it, or say where it is: make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is" \
	  "$$($(PYTHON) --version 2>&1); anonlab needs Python 3.11 or newer" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual" \
	  "environments: on Debian and Ubuntu install the package python3-venv" >&2; exit 2; }
	@echo "making .venv with $$($(PYTHON) --version): some minutes, once"
	$(PYTHON) -m venv $(if $(STALE),--clear) .venv
	$(PIP) --editable '.[lab]'
	@mkdir -p .venv/share/jupyter/lab/settings
	@echo '$(SETTINGS)' > .venv/share/jupyter/lab/settings/overrides.json
	@pwd > .venv/place
	@touch $@

.venv/test.done: .venv/lab.done
	$(PIP) --editable '.[test]'
	@touch $@

clean:
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis
