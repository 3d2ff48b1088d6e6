# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

# How many random programs `make differential` compares, from which seed on, and with which peer.
N ?= 500
SEED ?= 1000
PEER ?= keras

.PHONY: demo test imdb package bench fuzz differential clean

demo: .venv/demo-installed
	$(BIN)/python examples/demo.py

test: .venv/test-installed .venv-peer/keras-installed
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

# Changes one line of the library at a time, N times, and prints the changes that no test notices.
mutants: .venv/mutants-installed
	$(BIN)/python tests/mutants record
	$(BIN)/python tests/mutants run $(or $(N),300)

bench: .venv/demo-installed
	$(BIN)/python -m benchmarks

# Random programs here and in another Keras, as a black box: what differs is shrunk and printed.
differential: .venv/test-installed .venv-peer/$(PEER)-installed
	$(BIN)/python -m tests.differential --count $(N) --seed $(SEED) --peer $(PEER)

# The peers' environments, one folder each.
PEER_keras := "keras==3.15.*" jax h5py
PEER_tf_keras := "tf_keras==2.*" tensorflow-cpu

.venv-peer/%-installed: Makefile
	$(PYTHON) -m venv .venv-peer/$*
	.venv-peer/$*/bin/pip install --quiet --upgrade pip
	.venv-peer/$*/bin/pip install --quiet $(PEER_$*)
	touch $@

.venv/%-installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[$*]"
	touch $@

clean:
	rm -rf .venv .venv-bench .venv-peer build demo-output bench-output dist src/*.egg-info
