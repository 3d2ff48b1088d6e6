"""The command `oneiros`: run | verify-resume | summary | plot | convert | predict | doctor."""

import argparse
import builtins
import os
import platform
import runpy
import sys
import types
from importlib import metadata
from pathlib import Path

import jax
import numpy as np

from . import __version__, compat, models, utils, verify
from .compat import detection, notes, pytest_workers
from .core import config, runtime, safety
from .core.errors import InputDataError
from .core.traceback import tidy

_RUN_USAGE = (
    "oneiros run [--keras 1|2|tf|3|VERSION] [--explain] [--trust-files] SCRIPT [ARGS...]\n"
    "       oneiros run [...] -m MODULE [ARGS...]"
)

_VERIFY_USAGE = "oneiros verify-resume [--kills N] [--seed N] [--keras 1|2|tf|3|VERSION] SCRIPT [ARGS...]"


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["run"]:
        return _run(arguments[1:])
    if arguments[:1] == ["verify-resume"]:
        return _verify_resume(arguments[1:])
    parser = argparse.ArgumentParser("oneiros", description="Keras, whole, on JAX.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run a program for any generation of Keras", usage=_RUN_USAGE)
    commands.add_parser("verify-resume", help="kill a training and prove that it goes on exactly", usage=_VERIFY_USAGE)
    summary = commands.add_parser("summary", help="print a saved model's layers")
    summary.add_argument("file", help="a file of a whole model (.keras or .h5)")
    plot = commands.add_parser("plot", help="draw a saved model")
    plot.add_argument("file", help="a file of a whole model (.keras or .h5)")
    plot.add_argument("picture", help="the picture to write, e.g. model.png")
    convert = commands.add_parser("convert", help="write a saved model, its weights or its architecture to a new file")
    convert.add_argument("source", help="a file of a whole model (.keras or .h5)")
    convert.add_argument(
        "target",
        help="NAME.keras or NAME.h5: the whole model; NAME.weights.h5: its weights; NAME.json: its architecture",
    )
    predict = commands.add_parser("predict", help="classify images with a saved model")
    predict.add_argument("file", help="a file of a whole model (.keras or .h5) with one image as its input")
    predict.add_argument("images", nargs="+", help="image files; the values of their pixels are scaled to [0, 1]")
    commands.add_parser("doctor", help="print versions, devices, settings and folders")
    options = parser.parse_args(arguments)
    try:
        return _COMMANDS[options.command](options) or 0
    except (OSError, ValueError, ImportError) as error:
        print(f"oneiros {options.command}: {error}", file=sys.stderr)
        return 1


# --- run


def _run_options(arguments):
    """The options before the script, the script or module, and its arguments."""
    generation = explain = trust = module = None
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        name, _, value = option.partition("=")
        if option in ("-h", "--help"):
            print(f"usage: {_RUN_USAGE}")
            raise SystemExit(0)
        if option == "--explain":
            explain = True
        elif option == "--trust-files":
            trust = True
        elif name == "--keras":
            generation = value or (rest.pop(0) if rest else "")
            try:
                generation = compat.generations.standardize(generation)
            except ValueError:
                _usage(f"--keras: expected 1, 2, tf or 3, or a version such as 2.3. Received: {generation!r}")
        elif option == "-m":
            module = rest.pop(0) if rest else _usage("-m: expected a module's name")
            break
        else:
            _usage(f"unknown option {option}")
    if module is None and not rest:
        _usage("expected a script")
    return generation, explain, trust, module, rest


def _usage(message):
    print(f"oneiros run: {message}\nusage: {_RUN_USAGE}", file=sys.stderr)
    raise SystemExit(2)


def _run(arguments):
    generation, explain, trust, module, rest = _run_options(arguments)
    if module is None:
        script = rest[0]
        if os.path.isdir(script) and os.path.isfile(os.path.join(script, "__main__.py")):
            script = os.path.join(script, "__main__.py")
        if not os.path.isfile(script):
            reason = "is a folder" if os.path.isdir(script) else "there is no such file"
            print(f"oneiros run: can't open {script!r}: {reason}", file=sys.stderr)
            return 2
        sys.argv, sys.path[0] = rest, os.path.dirname(os.path.realpath(script))
    else:
        sys.argv, sys.path[0] = [module, *rest], os.getcwd()

    found = "--keras"
    if generation is None:
        generation, found = detection.detect([script] if module is None else _sources(module, rest))
    compat.install(generation)
    if path := os.environ.get(verify.RECORD):
        verify.record_trainings(path)
    notes.enabled = bool(explain)
    print(f"oneiros: running as {compat.generations.title(generation)} (found: {found})", file=sys.stderr, flush=True)
    if trust:
        safety.enable_unsafe_deserialization()
        print("oneiros: code that model files hold is run in this program (--trust-files)", file=sys.stderr, flush=True)
    if module == "pytest":
        pytest_workers.announce(generation, trust)
    try:
        return _guarded(lambda: _run_script(script) if module is None else _run_module(module))
    finally:
        if explain:
            lines = notes.report() or ["nothing had to be translated"]
            print("\n".join(f"oneiros: {line}" for line in lines), file=sys.stderr)


def _sources(module, rest):
    """The files to read for the generation: the module, if it is here, and what its arguments name."""
    local = [Path(*module.split(".")).with_suffix(".py"), Path(*module.split("."), "__main__.py")]
    named = [Path(argument.partition("::")[0]) for argument in rest if not argument.startswith("-")]
    if module == "pytest" and not any(path.exists() for path in named):
        named = [Path()]
    folders = [file for path in named if path.is_dir() for file in sorted(path.rglob("*.py"))[:100]]
    return [path for path in (*local, *named, *folders) if path.suffix == ".py" and path.is_file()]


def _fresh_main(**attributes):
    main_module = types.ModuleType("__main__")
    main_module.__dict__.update(__builtins__=builtins, **attributes)
    sys.modules["__main__"] = main_module
    return main_module


def _run_script(script):
    namespace = _fresh_main(__file__=script, __cached__=None, __loader__=None, __spec__=None).__dict__
    exec(compile(Path(script).read_bytes(), script, "exec", dont_inherit=True), namespace)


def _run_module(name):
    _fresh_main()
    runpy._run_module_as_main(name, alter_argv=True)  # what `python -m` calls


def _guarded(program):
    """Runs the program; its exceptions end as they would without us. Returns the exit status."""
    try:
        program()
    except SystemExit:
        raise
    except BaseException as error:
        tidy(error)
        trace = error.__traceback__
        while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _is_ours(filename):
    return filename == __file__ or filename in ("<frozen runpy>", runpy.__file__)


# --- verify-resume


def _verify_resume(arguments):
    parser = argparse.ArgumentParser("oneiros verify-resume", usage=_VERIFY_USAGE, description=verify.__doc__)
    parser.add_argument("--kills", type=int, default=3, help="how often the program is killed (3)")
    parser.add_argument("--seed", type=int, default=0, help="chooses the instants")
    parser.add_argument("--keras", help="the generation that the program is for, as of `oneiros run`")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    return verify.verify(options.script, options.arguments, options.kills, options.seed, options.keras)


# --- the commands on saved models


def _summary(options):
    models.load_model(options.file, compile=False).summary()


def _plot(options):
    model = models.load_model(options.file, compile=False)
    utils.plot_model(model, options.picture, show_shapes=True, show_layer_names=True)
    print(options.picture)


def _convert(options):
    target = options.target
    writers = {".weights.h5": "save_weights", ".h5": "save", ".hdf5": "save", ".keras": "save", ".json": "to_json"}
    how = next((how for ending, how in writers.items() if target.endswith(ending)), None)
    if how is None:
        raise InputDataError(f"cannot write {target}: expected a name that ends in {', '.join(writers)}.")
    write = getattr(models.load_model(options.source), how)
    if how == "to_json":
        Path(target).write_text(write(), encoding="utf-8")
    else:
        write(target)
    print(target)


def _predict(options):
    model = models.load_model(options.file, compile=False)
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise InputDataError(
            f"{options.file}: expected a model that takes one batch of images, with an input of 4 axes. Found: {shape}"
        )
    channels_first = shape[1] in (1, 3) and shape[-1] not in (1, 3)
    size, channels = (shape[2:4], shape[1]) if channels_first else (shape[1:3], shape[-1])
    for path in options.images:
        image = utils.load_img(
            path,
            color_mode="grayscale" if channels == 1 else "rgb",
            target_size=None if None in size else tuple(size),
        )
        array = utils.img_to_array(image, data_format="channels_first" if channels_first else "channels_last") / 255
        scores = np.asarray(model.predict(array[np.newaxis], verbose=0)).ravel()
        best = np.argsort(scores)[::-1][:5]
        print(path, *(f"{i}: {scores[i]:.4f}" for i in best), sep="  ")


def _doctor(options):
    def version(name):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return "not installed"

    rows = {
        "oneiros": __version__,
        "python": platform.python_version() + " on " + platform.platform(),
        "jax": jax.__version__,
        "numpy": np.__version__,
        **{name: version(name) for name in ("h5py", "pooch", "pillow", "scipy", "matplotlib", "pydot", "scikit-learn")},
        "devices": ", ".join(str(device) for device in jax.devices()),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "floatx": config.floatx(),
        "epsilon": config.epsilon(),
        "image_data_format": config.image_data_format(),
        "keras folder": _folder(config.keras_home()),
        "compilation cache": _folder(jax.config.jax_compilation_cache_dir),
        "mirror": os.environ.get("ONEIROS_MIRROR") or "none",
        "large buffers": "kept for reuse (ONEIROS_MALLOC=0 prevents it)" if runtime.keep_memory() else "given back",
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")


def _folder(path):
    if path is None:
        return "none"
    path = Path(path)
    if not path.is_dir():
        return f"{path} (not there yet)"
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    writable = "" if os.access(path, os.W_OK) else ", not writable"
    return f"{path} ({size / 1e6:.0f} MB{writable})"


_COMMANDS = {"summary": _summary, "plot": _plot, "convert": _convert, "predict": _predict, "doctor": _doctor}
