# Everything a fresh machine needs: git, make and python3 (3.11 or later).
#   make demo    the main job on the embedded data set
#   make test    all tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# A second environment, for the indexes alone, with the oldest NumPy and SciPy that pyproject.toml allows.
OLDEST := .venv-oldest
OLDEST_PINS := $(shell sed -nE 's/^ *"(numpy|scipy)>=([0-9.]+)".*/\1==\2.*/p' pyproject.toml)

.PHONY: help demo docs pages test test-fast fuzz test-oldest attacks lint format bench trainings clean

help:
	@sed -n 's/^#   //p' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hsfusion-bench needs Python 3.11 or later; try: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Both networks are trained first, within minutes: far from their papers' budgets, and with larger learning rates than
# theirs, which the rows of the table say.
demo: $(READY)
	HSBENCH_CACHE=demo-results/cache $(BIN)/hsbench run --methods bicubic,feinfn,mossfuse --dataset demo --scale 4 --train \
	    --max-steps feinfn=160 --set feinfn.patch=32 --set feinfn.stride=8 --set feinfn.accumulate=1 \
	    --set feinfn.learning_rate=1e-3 \
	    --max-steps mossfuse=360 --set mossfuse.patch=32 --set mossfuse.stride=8 --set mossfuse.learning_rate=1e-3 \
	    --set mossfuse.shuffle=true --set mossfuse.schedule=one-cycle \
	    --set mossfuse.part_rates.degradation=3e-2 \
	    --results-dir demo-results --csv demo-results/demo.csv --latex demo-results/demo.tex
	@cat demo-results/demo.tex

# One process more than there are cores: many tests wait, for children that start or for what they must not see.
PARALLEL ?= $(shell expr $$($(PYTHON) -c 'import os; print(os.cpu_count())') + 1)

test: $(READY)
	$(BIN)/pytest --numprocesses $(PARALLEL) --dist worksteal

#   make test-fast    the inner loop: without trainings and real scenes
test-fast: $(READY)
	$(BIN)/pytest --quiet --numprocesses $(PARALLEL) --dist worksteal -m 'not slow and not data'

#   make fuzz    spoiled files of every kind, for an hour; FUZZ=100 tries so many of each
FUZZ ?= 3000
fuzz: $(READY)
	HSBENCH_FUZZ=$(FUZZ) $(BIN)/pytest --quiet tests/test_fuzz.py

#   make attacks    hostile values for every option of every verb, and kills in numbers: an hour
attacks: $(READY)
	$(BIN)/pytest -m attack
	$(BIN)/python tests/attacks/endings.py --minutes 10

#   make test-oldest    the indexes under the oldest NumPy and SciPy that are allowed, where their wheels can be had
test-oldest:
	@test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	@if $(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 --only-binary :all: \
	        $(foreach pin,$(OLDEST_PINS),'$(pin)') pytest hypothesis; then \
	    PYTHONPATH=metrics $(OLDEST)/bin/python -m pytest --quiet --confcutdir tests/metrics \
	        $$(grep -LE '^ *(import|from) (torch|skimage)' tests/metrics/test_*.py); \
	else \
	    echo "no wheels of $(OLDEST_PINS) for this Python, or no network: their tests are left out"; \
	fi

#   make docs    the documentation as a site, which begins at build/site/index.html; its examples are run
docs: $(READY)
	rm -rf build/site
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env --conf-dir docs --doctree-dir build/doctrees . build/site

#   make pages    the tables of docs/board.md, choosing.md and robustness.md, from the records in results/
pages: $(READY)
	@for page in board choosing robustness; do PYTHONSAFEPATH= $(BIN)/python docs/$$page.py || exit 1; done

#   make lint    ruff and mypy
lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

#   make bench    the benchmarks of speed and memory
bench: $(READY)
	$(BIN)/pytest --quiet tests/benchmarks --benchmark-group-by=group --benchmark-columns=median,min,max,rounds

#   make trainings DATA=~/CAVE    the weights behind results/, for days; resumes where it was stopped
trainings: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/hsbench weights make results/trainings.toml --results-dir results --device cpu $(if $(DATA),--data-root $(DATA))

clean:
	rm -rf $(VENV) $(OLDEST) build/site build/doctrees build/jupyter_execute demo-results .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
