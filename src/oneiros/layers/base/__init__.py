"""The base of all layers.

`Layer` itself, in `layer.py`, holds the constructor and the configuration. Its other parts are base classes of it:

- `weights.py` makes and lists weights,
- `calls.py` builds a layer and calls it, on arrays or on symbols,
- `nodes.py` records calls on symbols and answers what they were: `input`, `output_shape`, ...,
- `losses.py` collects losses and updates,
- `masks.py` hands masks on,
- `precision.py` knows the number types, and what layers say that cannot be quantized.
"""

from .layer import Layer
from .shapes import shape_of, single
from .weights import find_in_attributes, memory_limit, unique, weight_budget

__all__ = ["Layer", "find_in_attributes", "memory_limit", "shape_of", "single", "unique", "weight_budget"]
