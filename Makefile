# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test imdb package bench fuzz clean

demo: .venv/demo-installed
	$(BIN)/python examples/demo.py

test: .venv/test-installed
	$(BIN)/ruff check src tests examples benchmarks
	$(BIN)/ruff format --check src tests examples benchmarks
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The classic IMDB program, whole: three epochs on 25,000 reviews. Needs the data set, or ONEIROS_MIRROR.
imdb: .venv/demo-installed
	$(BIN)/oneiros run --keras 2 examples/imdb_lstm.py

# A wheel that is checked, installed into a clean environment and tried there.
package: .venv/package-installed
	rm -rf dist build/package-venv
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv build/package-venv
	build/package-venv/bin/pip install --quiet dist/*.whl
	cd build && package-venv/bin/python -c "import oneiros, doctest; print(oneiros.__file__); exit(doctest.testmod(oneiros)[0])"

# Loads N damaged files, and says what came of them.
fuzz: .venv/test-installed
	$(BIN)/python tests/saving/test_mutations.py $(or $(N),3000)

bench: .venv/demo-installed
	$(BIN)/python -m benchmarks

.venv/%-installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[$*]"
	touch $@

clean:
	rm -rf .venv .venv-bench build demo-output bench-output dist src/*.egg-info
