"""Whatever holds data becomes batches ``(x, y, weights)`` here, and everything about it is checked here."""

import contextlib
import itertools
import warnings

import jax
import numpy as np

from ..core import floatx
from ..core.checks import positive_int
from ..core.errors import InputDataError
from ..core.interrupts import allowed
from ..core.random import get_random_state, set_random_state
from ..core.structure import Places, is_nested, keys_of, leaves, map_structure, pack, rebuilt, values_of
from ..layers.input_spec import advise_on_shape
from ..utils.data import GeneratorWorkers, PyDataset, SequenceWorkers, numpy_seed
from .checks import on_disk


def is_batches(x):
    """Whether this yields batches itself: a generator, Sequence, tf.data.Dataset or DataLoader."""
    if isinstance(x, (np.ndarray, jax.Array, list, tuple, dict)) or hasattr(x, "iloc") or hasattr(x, "toarray"):
        return False
    if hasattr(x, "__next__") or hasattr(x, "as_numpy_iterator") or hasattr(x, "on_epoch_end"):
        return True
    if hasattr(x, "shape"):
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


# --- arrays


def to_numpy(x, name):
    """An array-like as something sliceable of a numeric type: NumPy, JAX, or (left on disk) an HDF5 data set."""
    if x is None:
        return None
    if hasattr(x, "iloc"):
        x = x.to_numpy()
    elif hasattr(x, "toarray"):
        x = x.toarray()
    elif not isinstance(x, (np.ndarray, jax.Array)) and not on_disk(x):
        x = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    if on_disk(x):
        return x
    if x.dtype == object:
        try:
            x = np.asarray(x.tolist(), floatx()) if isinstance(x, np.ndarray) else x
        except (ValueError, TypeError):
            raise InputDataError(
                f"{name}: expected numbers in a rectangular array. Received an array of Python objects (dtype object), "
                "such as lists of different lengths: pad them (pad_sequences), or convert to a numeric type."
            ) from None
    if x.dtype.kind in "USOcMm":
        raise InputDataError(
            f"{name}: expected numbers. Received an array of dtype {x.dtype}: convert it to a numeric type first."
        )
    if x.dtype == np.float64 and floatx() != "float64":
        x = x.astype(floatx())
    if x.ndim == 0:
        raise InputDataError(f"{name}: expected an array with a batch axis. Received a single number.")
    return x


def to_arrays(x, what, count=1):
    """The same structure with arrays in it. Lists of numbers are arrays, but a list of `count` > 1 holds as many."""
    if isinstance(x, dict) or isinstance(x, (list, tuple)) and (len(x) == count > 1 or not _holds_numbers(x)):
        parts = zip(keys_of(x), values_of(x))
        return rebuilt(x, [to_arrays(value, f"{what}[{key!r}]") for key, value in parts])
    return to_numpy(x, what)


def _holds_numbers(x):
    """Whether a list is data itself: numbers, or rows of numbers."""
    while isinstance(x, (list, tuple)) and len(x):
        x = x[0]
    return not (is_nested(x) or x is None) and len(getattr(x, "shape", ())) == 0 and not hasattr(x, "iloc")


def standardize_x(model, x):
    """The inputs as arrays in the user's structure, checked where the model tells what it takes."""
    if model.inputs is None:
        return to_arrays(x, "x")
    places = model.input_places
    if isinstance(x, dict):
        known = {*(places.tree if isinstance(places.tree, dict) else ()), *places.layers}
        x = {key: value for key, value in x.items() if key in known}
    x = to_arrays(x, "x", len(places))
    found = model.matched_inputs(x, "x")
    for array, symbol, name in zip(found, model.inputs, model.input_names):
        _check_shape(array, symbol, f"input {name}")
    return x


def _check_shape(array, symbol, name):
    shape, expected = tuple(array.shape), tuple(symbol.shape)
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        shape = (*shape, 1)
    elif len(shape) == len(expected) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    fits = len(shape) == len(expected) and all(e in (None, s) for s, e in zip(shape[1:], expected[1:]))
    if not fits:
        raise InputDataError(
            f"{name}: expected an array of shape {expected} (None: any size). Received shape {shape}."
            + advise_on_shape(shape, expected)
        )


def standardize_y(model, y, objectives):
    """The targets as arrays in the user's structure. objectives: what they are for, if that is known already."""
    if y is None:
        return None
    count = 1 if objectives is None else len(objectives.places)
    y = to_arrays(y, "y", count)
    if objectives is not None and any(map(objectives.needs_target, range(count))):
        found, needed = leaves(y), sum(map(objectives.needs_target, range(count)))
        if len(found) not in (count, needed) and not isinstance(y, dict):
            raise InputDataError(
                f"y: model {model.name} expects {count} array(s), for the outputs {objectives.names}. Received "
                f"{len(found)} array(s) of shapes {[tuple(a.shape) for a in found]}."
            )
        objectives.entries(y, "y")
    return y


def sample_weights(y, sample_weight, class_weight, objectives):
    """Weights in the structure of the targets, ``None`` where nothing is weighted."""
    targets = leaves(y)
    places = Places(y, _names_of_targets(y, objectives))
    given = places.match(to_arrays(sample_weight, "sample_weight", len(targets)), "sample_weight")
    classes = _class_weights(class_weight, places)
    weights = [_weights_of(*entry) for entry in zip(targets, given, classes)]
    return pack(y, weights) if any(w is not None for w in weights) else None


def _names_of_targets(y, objectives):
    """The names of the outputs to which the targets belong, so that weights may be given by them."""
    count = len(leaves(y))
    if objectives is None or not count:
        return None
    names = objectives.places.layers
    owners = dict(zip(objectives.entries(pack(y, range(count)), "y"), names))
    return [owners.get(i, f"y_{i}") for i in range(count)]


def _weights_of(target, weight, by_class):
    if weight is not None:
        weight = np.asarray(weight, floatx())
        if weight.ndim == 2 and weight.shape[1] == 1 and target.ndim < 3:
            weight = weight[:, 0]
        if weight.shape != tuple(target.shape[: weight.ndim]):
            raise InputDataError(
                f"sample_weight: expected one weight a sample (or a time step), shape "
                f"({target.shape[0]},). Received shape {weight.shape}."
            )
        if (weight < 0).any():
            row = int(np.argwhere(weight < 0)[0][0])
            raise InputDataError(f"sample_weight: weights must not be negative. Row {row} is {weight[row]}.")
    if by_class is not None:
        from_class = _weights_of_classes(np.asarray(target), by_class)
        weight = from_class if weight is None else weight * from_class
    return weight


def _class_weights(given, places):
    """A dictionary from class to weight, or ``None``, per target."""
    if isinstance(given, dict) and not any(isinstance(v, dict) for v in given.values()):
        return [given] * len(places)
    if given is not None and not is_nested(given):
        raise InputDataError(f"class_weight: expected a dictionary from class to weight. Received: {given!r}")
    return places.match(given, "class_weight")


def _weights_of_classes(y, by_class):
    if any(not isinstance(k, (int, np.integer)) for k in by_class):
        raise InputDataError(f"class_weight: classes must be integers. Received: {list(by_class)}")
    if any(float(w) < 0 for w in by_class.values()):
        raise InputDataError(f"class_weight: weights must not be negative. Received: {by_class}")
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(y.shape[:1] if y.ndim < 3 else y.shape[:-1])
    labels = labels.astype(int)
    present = np.unique(labels)
    missing = [int(c) for c in present if c not in by_class]
    if missing:
        raise InputDataError(
            f"class_weight: no weight for the classes {missing}, which occur in the targets. Received: {by_class}"
        )
    table = np.zeros(max(int(present.max(initial=0)), 0) + 1, floatx())
    for label in present:
        table[label] = by_class[label]
    return table[labels]


class ArrayData:
    """Arrays of equal length, cut into batches.

    x, y, weights: structures of arrays, or ``None``.
    """

    def __init__(self, x, y=None, weights=None, batch_size=None, what="x"):
        self.arrays = (x, y, weights)
        lengths = {int(a.shape[0]) for a in leaves(self.arrays)}
        if len(lengths) > 1:
            raise InputDataError(
                "All arrays need the same number of samples. Received: x "
                f"{[a.shape[0] for a in leaves(x)]}, y {[a.shape[0] for a in leaves(y)]}"
                + (f", weights {[a.shape[0] for a in leaves(weights)]}." if leaves(weights) else ".")
            )
        if not lengths or 0 in lengths:
            raise InputDataError(f"{what}: the data is empty (no samples).")
        self.samples = lengths.pop()
        self.batch_size = 32 if batch_size is None else positive_int("batch_size", batch_size)
        self.steps = -(-self.samples // self.batch_size)
        self.exact = False  # True: short batches may not be filled up
        self.check = None  # function of (batch, numbers of its rows) for data that are read from disk

    def peek(self):
        """What shapes and types a batch has."""
        return self.arrays

    def close(self):
        """Arrays need no workers."""

    def take(self, rows):
        """One batch: the rows at these indices (a slice, or an array)."""
        batch = map_structure(lambda a: _rows(a, rows), self.arrays)
        if self.check is not None:
            self.check(batch, range(self.samples)[rows] if isinstance(rows, slice) else rows)
        return batch

    def slice(self, start, stop):
        """The samples from start to stop as data of their own."""
        x, y, weights = self.take(slice(start, stop))
        data = ArrayData(x, y, weights, self.batch_size)
        data.exact = self.exact
        return data


def _rows(array, rows):
    if on_disk(array) and isinstance(rows, np.ndarray):
        order = np.argsort(rows, kind="stable")  # HDF5 wants rising indices
        out = np.asarray(array[rows[order]] if type(array).__name__ != "HDF5Matrix" else array[list(rows[order])])
        result = np.empty_like(out)
        result[order] = out
        array = result
    else:
        array = array[rows]
    if isinstance(array, np.ndarray) and array.dtype == np.float64 and floatx() != "float64":
        array = array.astype(floatx())
    return array


def worker_options(source, workers=1, use_multiprocessing=False, max_queue_size=10):
    """How many workers prepare batches, whether they are processes, and how many batches they prepare ahead.

    What is left at its default is taken from a `PyDataset`'s own constructor. 0 workers: the main thread makes the
    batches, as it does instead of a single thread: JAX computes meanwhile anyway.
    """
    given = (workers, use_multiprocessing, max_queue_size)
    if isinstance(source, PyDataset):
        own = (source.workers, source.use_multiprocessing, source.max_queue_size)
        given = tuple(o if g == default else g for g, o, default in zip(given, own, (1, False, 10)))
    workers, processes, ahead = given
    processes = bool(processes) and workers > 0
    return (workers if processes or workers > 1 else 0), processes, ahead


class BatchData:
    """What yields batches itself. Each pass over an epoch goes through `epoch`.

    standardize: function from what is yielded to a batch ``(x, y, weights)``.
    """

    def __init__(self, source, standardize, steps=None, shuffle=True, **options):
        self.source, self.standardize, self.shuffle = source, standardize, shuffle
        self.indexed = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self.own_order = self.indexed and not hasattr(source, "dataset") and not hasattr(source, "as_numpy_iterator")
        self.endless = hasattr(source, "__next__")
        self.threads, self.processes, self.ahead = worker_options(source, **options)
        self.given_steps = steps
        self.steps = steps or self._length()
        self._iterator = self._workers = None
        # The place in the data: what `get_state` tells.
        self._taken = 0  # batches of this pass through the source
        self._order = None  # of this pass through a source that is asked by number
        self._random = None  # the streams of random numbers when the pass began
        self._ends = []  # the same before each on_epoch_end, if it is the source's own
        self._seed = [0, 0]  # of the pass, for processes: from NumPy's generator, and the pass's number

    def _length(self):
        try:
            length = len(self.source)
        except Exception:  # also where a callback will set up the source: it is asked again before its first batch
            length = getattr(self.source, "cardinality", lambda: -1)()
            length = int(length.numpy() if hasattr(length, "numpy") else length)
        return length if length and length > 0 else None

    def peek(self):
        """The first batch, which `epoch` will yield again."""
        if self.own_order:
            self._count()
            with self._indexed(min(1, self.threads)) as workers:
                return self._check(next(workers.map([0], 1)), 0)
        if self._iterator is None:
            self._iterator = self._pass()
        try:
            first = next(self._iterator)
        except StopIteration:
            raise InputDataError(f"{type(self.source).__name__} is empty: it yields no batch.") from None
        self._iterator = itertools.chain([first], self._iterator)
        return self._check(first, 0)

    def epoch(self, done=0):
        """The batches of one epoch: `steps` of them, or as many as there are. done: how many were taken before."""
        batches = self._pass(done) if self.own_order else self._continued()
        left = None if self.steps is None else self.steps - done
        for number, batch in enumerate(itertools.islice(batches, left), done):
            yield self._check(batch, number)
        if self.own_order:
            self.close()
        if self.own_order and hasattr(self.source, "on_epoch_end"):
            if not hasattr(self.source, "get_state") and _is_own(self.source.on_epoch_end):
                self._ends.append(get_random_state())
            with allowed():
                self.source.on_epoch_end()

    def close(self):
        """Ends the workers."""
        if self._workers is not None:
            self._workers.close()

    def get_state(self):
        """The place in the data: what was taken, and in which order; the source's own state, if it tells one."""
        own = self.source.get_state() if hasattr(self.source, "get_state") else None
        return {
            "source": own,
            "taken": self._taken,
            "order": self._order,
            "random": None if self.own_order or own is not None else self._random,
            "ends": self._ends,
            "seed": self._seed,
        }

    def set_state(self, state, within_epoch=True):
        """Goes to a place that `get_state` has told. A source without a state of its own is read up to there."""
        kind = type(self.source).__name__
        if self.own_order and within_epoch and len(state["order"]) != len(self.source):
            raise InputDataError(
                f"the backup was made in the middle of an epoch of {len(state['order'])} batches. {kind} has "
                f"{len(self.source)} now. Give the same data again."
            )
        if hasattr(self.source, "set_state") and state["source"] is not None:
            self.source.set_state(state["source"])
            self._iterator = None
        elif self.own_order:
            for random in state["ends"]:
                set_random_state(random)
                self.source.on_epoch_end()
        else:
            self._read_up_to(state["taken"], state["random"])
        self._taken, self._order, self._ends = state["taken"], state["order"], state["ends"]
        self._seed = state["seed"]

    def _read_up_to(self, taken, random):
        if not self.endless:
            self._iterator = None  # between two passes
            if taken:
                set_random_state(random)
                self._iterator = self._pass()
        elif self._iterator is None:
            self._iterator = self._pass()
        for number in range(taken):
            if next(self._iterator, self) is self:
                raise InputDataError(
                    f"{type(self.source).__name__} ended after {number} batches, but the backup was made after "
                    f"{taken}. Give the same data again."
                )

    def _pass(self, done=0):
        """A new pass through the source, or (asked by number, with some batches done) the rest of one."""
        self._taken = done
        self.close()
        if not self.own_order:
            self._random = get_random_state()
            return self._counted(self._unindexed())
        self._count()
        if not done:
            self._order = np.arange(len(self.source))
            self._seed = [numpy_seed(), self._seed[1] + 1]
            if self.shuffle:
                np.random.shuffle(self._order)
        self._workers = self._indexed(self.threads)
        rest = itertools.islice(itertools.cycle(self._order), done, self.steps)
        return self._counted(self._workers.map(map(int, rest), self.ahead))

    def _unindexed(self):
        if self.endless:
            self._workers = GeneratorWorkers(self.source, self.processes, workers=int(self.processes))
            return self._workers.batches(self.ahead)
        iterate = getattr(self.source, "as_numpy_iterator", None)
        self._workers = GeneratorWorkers(iterate() if iterate else self.source, workers=0)
        return self._workers.batches(1)

    def _counted(self, batches):
        for batch in batches:
            self._taken += 1
            yield batch

    def _count(self):
        """Counts the batches: on_epoch_end may have changed their number."""
        if not len(self.source):
            raise InputDataError(f"{type(self.source).__name__} is empty: len() is 0.")
        self.steps = self.given_steps or len(self.source)

    def _indexed(self, workers):
        return SequenceWorkers(self.source, workers, self.processes, seed=self._seed)

    def _continued(self):
        """Batches that go on where the last epoch stopped. With `steps`, a source that ends starts anew, if it can."""
        while True:
            is_new = self._iterator is None
            if is_new:
                self._iterator = self._pass()
            for batch in self._iterator:  # noqa: UP028 - `yield from` would close it at the end of an epoch
                yield batch
            is_empty = is_new and not self._taken
            self._iterator, self._taken = None, 0
            if self.endless or is_empty or self.steps is None:
                return

    def _check(self, batch, number):
        try:
            x, y, weights = self.standardize(batch)
        except InputDataError as error:
            raise InputDataError(f"Batch {number} of {type(self.source).__name__}: {error}") from None
        lengths = {int(a.shape[0]) for a in leaves((x, y, weights))}
        if len(lengths) != 1 or 0 in lengths:
            raise InputDataError(
                f"Batch {number} of {type(self.source).__name__}: all arrays of a batch need the same number of "
                f"samples, at least one. Received: {sorted(lengths)}."
            )
        # Copies: many generators fill the same array again and again, and JAX reads it after the call.
        return map_structure(lambda a: np.array(a) if isinstance(a, np.ndarray) else a, (x, y, weights))


def _is_own(method):
    """Whether a method is the user's, not the one of the library's base class, which does nothing."""
    return getattr(method, "__module__", "") != "oneiros.utils.data"


@contextlib.contextmanager
def closing(*data):
    """Ends the workers of this data when the block ends, however it ends."""
    try:
        yield
    finally:
        for one in data:
            if one is not None:
                one.close()


def unpack(batch):
    """``(x, y, sample_weight)`` of what a generator yields."""
    if isinstance(batch, (tuple, list)) and (isinstance(batch, tuple) or len(batch) in (2, 3)):
        if not 1 <= len(batch) <= 3:
            raise InputDataError(
                f"expected a tuple (x, y) or (x, y, sample_weight). Received a tuple of {len(batch)} entries."
            )
        return (*batch, None, None)[:3]
    return batch, None, None


def split(data, validation_split):
    """Training and validation data: the last part of the samples is for validation."""
    if not 0 < validation_split < 1:
        raise InputDataError(
            f"validation_split: expected a number from 0 to below 1. Received: validation_split={validation_split!r}"
        )
    at = int(data.samples * (1.0 - validation_split))
    if at in (0, data.samples):
        raise InputDataError(
            f"validation_split={validation_split} leaves {at} of {data.samples} samples for training and "
            f"{data.samples - at} for validation: both need at least one."
        )
    return data.slice(0, at), data.slice(at, data.samples)


def warn_exhausted(seen, wanted):
    warnings.warn(
        f"The data ended after {seen} of {wanted} steps; training stops here. Make the generator yield at least "
        "`steps_per_epoch * epochs` batches, or endlessly."
    )
