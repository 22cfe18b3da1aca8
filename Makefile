# Two commands do all the set-up: `make run` (the main job) and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SOURCES := data_cleaning baselines neural harness tests docs

.PHONY: run serve page-pictures test check gate format docs same fuzz bench growth lock clean

run: $(READY)
	$(BIN)/python -m harness run all $(ARGS)

# The page about the newest run, in a browser.
serve: $(READY)
	$(BIN)/python -m harness serve $(ARGS)

# The pictures of docs/PAGE.md: make page-pictures RUN=results/<a run that has mined>. Needs Chromium.
page-pictures: $(READY)
	$(BIN)/python docs/page_pictures.py $(RUN)

# Two processes, each with whole files, so that fixtures of a file are made once.
test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy

# A run of the smoke config must be about as good as it was: keyword had .865 of unseen titles and 62 of 100 golden ones.
gate: $(READY)
	rm -rf results/gate
	$(BIN)/python -m harness run all --config configs/smoke.yaml --out results/gate --quiet
	$(BIN)/python -m harness gate results/gate --metric title.all --min .86
	$(BIN)/python -m harness gate results/gate --metric golden.all --min .6

format: $(READY)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

# The reference of every config key and every verb, from the code.
docs: $(READY)
	$(BIN)/python docs/generate_reference.py

# What the commit BASE makes of the smoke config and of a messy file, beside what this checkout makes of them.
same: BASE ?= HEAD
same: $(READY)
	rm -rf .same && git worktree add --detach --force .same/base $(BASE)
	cd .same/base && $(abspath $(BIN))/python $(abspath tests/compare_outputs.py) make ../before
	$(BIN)/python tests/compare_outputs.py make .same/after
	git worktree remove --force .same/base
	$(BIN)/python tests/compare_outputs.py compare .same/before .same/after

# Slow: 10,000 files and 100,000 titles through predict, of which the default tests take a few hundred. The seed is
# another each time, and printed; SEED=1 repeats one.
fuzz: SEED ?= $(shell date +%s)
fuzz: $(READY)
	FUZZ=full OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/fuzz -s --hypothesis-seed=$(SEED) $(ARGS)

# Slow: ratios against peers, outside the default tests.
bench: $(READY)
	$(BIN)/python -m pytest tests/bench -o addopts= -s $(ARGS)

# Slow: seconds and peak memory of whole commands at 10^5, 10^6 and 10^7 records, for results/reference/growth.md.
growth: $(READY)
	$(BIN)/python -m tests.bench.growth $(ARGS)

# Freeze what is installed now; torch is pinned without its build tag, so that every platform finds its own build.
lock:
	$(BIN)/python -m pip freeze --all --exclude-editable --exclude pip | sed 's/^\(torch==[^+]*\)+.*/\1/' > requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) was found. Set PYTHON=/path/to/python3.11."; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
