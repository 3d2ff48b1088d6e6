"""Writes golden/keras3.npz and golden/keras3.json: what Keras 3 computes for the rows of table_keras3.py.

Run it as make_golden.py.
"""

from make_golden import main
from table_keras3 import ROWS

if __name__ == "__main__":
    main(ROWS, "keras3")
