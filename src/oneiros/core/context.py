"""The circumstances in which code runs, all in one object.

`current()` says them, and ``with within(training=True):`` changes some for a block. A context never changes itself:
a block gets a changed copy, carried by one `ContextVar`, so each thread and each asynchronous task has its own.

>>> with within(training=True, dtype="bfloat16"):
...     current().training, current().dtype
(True, 'bfloat16')
>>> current().training is None
True
"""

import os
from contextvars import ContextVar


class Context:
    """What holds around the code that runs now. `current` returns it, `within` changes it for a block.

    >>> Context().training is None
    True
    """

    scope = None  # the `Scope` that holds the values of variables; outside any, variables hold them themselves
    dtype = None  # the type that floating variables are read as; `None`: their own
    training = None  # the flag of the innermost call that said whether it trains
    calling = False  # whether a call of a layer, or something like it, is under way
    layers = ()  # the layers that are being built or called, the outermost first
    collected = None  # what the outermost layer's call collects: losses and updates
    defers_updates = False  # whether updates are returned as pairs instead of executed
    drops_updates = False  # whether layers leave their statistics alone
    expects_nan = False  # whether a callback deals with NaN, so that data with NaN is trained on after a warning
    loss_log = None  # a list that takes the losses of outermost calls
    name_scopes = ()  # what the paths of new variables begin with
    remat_scope = None  # the `RematScope` that layers are made in
    symbolic = False  # whether a user's block says that it works on symbols
    inferring = False  # while shapes are inferred: the made-up size of unknown dimensions
    replays = ()  # for each graph that is being computed, the values of symbols; the innermost last
    safe_mode = None  # whether code in files is refused; `None`: as set for the whole process
    custom_objects = ()  # dictionaries of names that configurations may use, the innermost last
    entry_reader = None  # what checks and translates each configuration of a file before its object is made
    keras3_format = False  # whether graphs are described as Keras 3 does, for its files
    weight_budget = None  # bytes that weights may take together: a list of one number
    reference_kernels = os.environ.get("ONEIROS_KERNELS") == "reference"  # whether kernels run their plain references


_current = ContextVar("oneiros", default=Context())  # noqa: B039 - nothing changes it
current = _current.get


class within:  # noqa: N801 - used as a function
    """Changes parts of the context inside a ``with`` block.

    Args:
        **changes: attributes of `Context`, with their values inside the block.

    >>> with within(training=True):
    ...     current().training
    True
    """

    __slots__ = ("changes", "token")

    def __init__(self, **changes):
        self.changes = changes

    def __enter__(self):
        context = Context()
        vars(context).update(vars(_current.get()))
        vars(context).update(self.changes)
        self.token = _current.set(context)
        return context

    def __exit__(self, *exception):
        _current.reset(self.token)
