"""Pure array functions that ``jax.numpy`` lacks: each a plain reference, and where it pays a fast variant beside it.

Arrays are channels-last. Nothing here knows of variables, layers or symbols.
"""
