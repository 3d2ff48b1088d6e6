"""`keras.ops`: functions of tensors, for users. Each takes arrays, lists, variables and symbols alike.

Most are rows of tables over `jax.numpy`, `jax.nn` and `jax.lax`. Symbols are recorded; everything else is computed.
"""

from . import image, linalg, nn, numpy, random
from .core import (
    associative_scan,
    cast,
    cond,
    convert_to_numpy,
    convert_to_tensor,
    custom_gradient,
    dtype,
    fori_loop,
    is_tensor,
    map,
    rearrange,
    scan,
    scatter,
    scatter_update,
    shape,
    slice,
    slice_update,
    stop_gradient,
    switch,
    unstack,
    vectorized_map,
    while_loop,
)
from .linalg import (
    cholesky,
    cholesky_inverse,
    det,
    eig,
    eigh,
    inv,
    jvp,
    logdet,
    lstsq,
    lu_factor,
    matrix_rank,
    norm,
    pinv,
    qr,
    solve,
    solve_triangular,
    svd,
)
from .math import (
    cdist,
    divide_no_nan,
    erf,
    erfc,
    erfinv,
    extract_sequences,
    fft,
    fft2,
    ifft2,
    in_top_k,
    irfft,
    istft,
    logsumexp,
    rfft,
    rsqrt,
    saturate_cast,
    segment_max,
    segment_min,
    segment_prod,
    segment_sum,
    stft,
    top_k,
    view_as_complex,
    view_as_real,
)

# The names of keras.ops.numpy and keras.ops.nn are names of keras.ops, too.
for _module in (numpy, nn):
    for _name, _value in vars(_module).items():
        _home = getattr(_value, "__module__", "").rpartition(".")[2]
        if callable(_value) and not _name.startswith("_") and _home in ("numpy", "math", "nn", "convolution", "ctc"):
            globals()[_name] = _value
