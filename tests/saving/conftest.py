collect_ignore = ["make_golden.py"]  # needs other implementations of Keras
