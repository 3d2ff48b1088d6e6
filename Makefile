# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check imdb bench clean

demo: .venv/demo-installed
	$(BIN)/python examples/demo.py

test: .venv/test-installed
	$(BIN)/ruff check src tests examples benchmarks
	$(BIN)/ruff format --check src tests examples benchmarks
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The classic IMDB program, whole: three epochs on 25,000 reviews. Needs the data set, or ONEIROS_MIRROR.
imdb: .venv/demo-installed
	$(BIN)/oneiros run --keras 2 examples/imdb_lstm.py

bench: .venv/demo-installed
	$(BIN)/python -m benchmarks

.venv/%-installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[$*]"
	touch $@

clean:
	rm -rf .venv .venv-bench build demo-output bench-output src/*.egg-info
