# Everything that is done to the course. GNU make, Python 3.11 and git are all that a machine needs.

PYTHON  ?= $(or $(shell command -v python3.11),python3)
PORT    ?= 8000
WORKERS ?= 2
RUNS    ?= 3
CHAPTER ?= mle
BIN     := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.DEFAULT_GOAL := help
.PHONY: help env cpu-index pins fork book serve offline pdf epub slides lighthouse links changes refresh \
    test test-quick test-package test-matrix test-hosts browser sandbox lint format bench mutants \
    dist release-check preview-comment weekly-report clean

help:  ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- environment ------------------------------------------------------------------------------

env: .venv/.ready  ## make the environment .venv from requirements.txt

# A fresh .venv whenever the pins change, so that nothing outlives its pin. Debian packages Python
# without its venv module. Skipping byte-compilation saves a third of the time.
.venv/.pinned: requirements.txt
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    tools/apt-install $$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    f"Python 3.11 or newer is needed, {sys.version.split()[0]} was found; try make PYTHON=...")'
	@echo "Installing $$(grep -c == $<) packages into .venv (minutes, if they must be downloaded) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -qq --no-compile --requirement $<
	@touch $@

.venv/.ready: .venv/.pinned pyproject.toml
	@$(BIN)/pip install -qq --no-compile \
	    --no-deps --no-build-isolation --editable .
	@touch $@

# The course needs no CUDA, which PyTorch's usual build for Linux brings: a workflow adds this line to
# its variables before it makes an environment.
cpu-index:
	@sed -n 's/^--extra-index-url  */PIP_EXTRA_INDEX_URL=/p' binder/requirements.txt | grep .

pins: env  ## resolve requirements.in into requirements.txt
	$(BIN)/python -m tools.package.pins

fork: env  ## move the course to your repository, in one commit (make fork REPO=owner/name)
	@$(BIN)/python -m tools.site.fork $(REPO)

# ---- book -------------------------------------------------------------------------------------

# Only changed pages are built again, unless what touches every page has changed since the last build
# that passed. After a build that failed or was interrupted all pages are built, since its warnings
# would not be repeated for pages that have not changed.
# The tests leave a note that all passed, which each page then shows.
EVERY_PAGE := _config.yml _toc.yml _ext _static _templates .venv/.ready $(wildcard _build/verified.json)

book: env  ## build the site into _build/html; a warning is an error
	@test -z "$$(find $(EVERY_PAGE) -newer _build/.passed 2>&1)" || rm -rf _build/html _build/.doctrees
	@rm -f _build/.passed
	@$(BIN)/jupyter-book build -n -W --keep-going .
	@touch _build/.passed
	@echo "Open _build/html/index.html in a browser, or run: make serve"

serve: book  ## show the site on http://127.0.0.1:8000 (another port: make serve PORT=8001)
	@$(BIN)/python -m tools.site.server --port $(PORT)

offline: book  ## pack the site into a zip that works without a network
	@$(BIN)/python -m tools.book.offline

pdf: book browser  ## bind the site into one PDF, with contents, outline and index
	@$(BIN)/python -m tools.book.pdf

epub: book  ## bind the site into one EPUB, for readers of books
	@$(BIN)/python -m tools.book.epub

slides: env  ## make slides of each chapter, one file each that works without a network
	@$(BIN)/python -m tools.book.slides

lighthouse: book  ## measure how fast and how accessible the pages are (needs Node; RUNS=3 PAGES="...")
	@$(BIN)/python -m tools.site.lighthouse --runs $(RUNS) $(PAGES)

links: book  ## check every link that leads out of the site (needs a network)
	@$(BIN)/python -m tools.site.links

changes: env  ## say which pages differ from another built site (make changes BASE=folder)
	@test -n "$(BASE)" || { echo "Which site to compare with? make changes BASE=folder" >&2; exit 2; }
	@$(BIN)/python -m tools.site.changes "$(BASE)" $(HEAD) $(if $(JSON),--json "$(JSON)")

refresh: env  ## re-execute every notebook in place
	@$(BIN)/python -m tools.site.refresh

# ---- checks -----------------------------------------------------------------------------------

PYTEST = $(ONE_THREAD) $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile \
    --no-loadscope-reorder --nbval --doctest-modules

test: lint book browser sandbox  ## run every test: style, types, package, notebooks, site
	$(PYTEST) --note-success _build/verified.json lossutils tests intro.ipynb chapters appendix

test-quick: env  ## run the tests of the package and of the chapters' rules, and one chapter, in minutes
	$(PYTEST) chapters/$(CHAPTER).ipynb tests/losses tests/book/test_chapters.py \
	    tests/book/test_sources.py $(filter-out $(SLOW_TESTS),$(wildcard tests/test_*.py)) lossutils

# These start clusters and other processes.
SLOW_TESTS := $(patsubst %,tests/test_%.py,chunks examples sweep memmap import)

# What the package and its tests need, in the pinned versions: this installs where the book's tools
# do not, and shows that the package needs none of them.
PACKAGE_BIN   := .venv-package/$(notdir $(BIN))
PACKAGE_TESTS := tests/losses $(wildcard tests/test_*.py)

.venv-package/.ready: requirements.txt pyproject.toml
	@echo "Installing the package and what it needs into .venv-package ..."
	@$(PYTHON) -m venv --clear .venv-package
	@$(PACKAGE_BIN)/python -m pip install -qq --disable-pip-version-check --constraint requirements.txt \
	    --editable '.[all,chapters]' pytest hypothesis beautifulsoup4 html5lib
	@touch $@

test-package: .venv-package/.ready  ## run the package's tests alone, also on Windows and macOS
	$(ONE_THREAD) $(PACKAGE_BIN)/python -m pytest --doctest-modules lossutils $(PACKAGE_TESTS)

# These make environments of their own, which takes minutes; VERSIONS=oldest or newest is half of it.
test-matrix: env  ## run the package's tests with the oldest packages that it supports, and the newest
	@$(BIN)/python -m tools.package.matrix $(VERSIONS)

test-hosts: env browser  ## run every notebook as Colab would, and one in Binder's environment
	$(BIN)/pytest -v tests/hosts

# Outputs must not depend on the number of threads; and two workers with two threads each would
# fight for two cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# Asked for once; where it cannot be had, the browser's tests say that they were skipped.
browser: .venv/.browser
.venv/.browser: .venv/.pinned
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	    tools/apt-install chromium || true
	@touch $@

# Likewise for the sandbox that students' code runs in.
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

dist: env  ## build the package into dist/, check it, and try the wheel in an empty environment
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation
	@$(BIN)/twine check --strict dist/*
	@$(BIN)/python -m tools.package.release try

release-check: env  ## see whether a tag may be released (make release-check TAG=v1.2.3)
	@test -n "$(TAG)" || { echo "Which tag? make release-check TAG=v1.2.3" >&2; exit 2; }
	@$(BIN)/python -m tools.package.release check "$(TAG)"

# These need nothing but Python and GitHub's command line, gh; their programs say which variables.
preview-comment:
	@$(PYTHON) -m tools.github.comment

weekly-report:
	@$(PYTHON) -m tools.github.weekly

clean:  ## remove all that was made, but not .venv
	rm -rf _build build dist mutants *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
