"""Differential testing: the same random program here and in another Keras, as a black box in a process of its own."""
