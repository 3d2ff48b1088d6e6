"""Ratios, and the table of them in Markdown and JSON."""

import json
import os
import platform
import time
from pathlib import Path
from statistics import median

from .environments import OURS, REQUIREMENTS
from .rows import ROWS


def summary(row, results):
    """What a row's measurements say: the best peer, and how many times faster we are.

    The best peer is the one with the least median among those that ran all rounds and got equal results; where all
    were so slow that they ran but the first, the ratio is that of the first.
    """
    rounds = len(results[OURS]["walls"])
    found = {"row": row.name, "unit": row.unit, "when": time.strftime("%Y-%m-%d %H:%M"), "rounds": rounds}
    found["failed"] = {name: r["error"] for name, r in results.items() if "error" in r}
    found["unequal"] = {name: r["difference"] for name, r in results.items() if not r.get("equal", True)}
    found |= {"peers": results, "best": None}
    equal = [n for n, r in results.items() if n != OURS and r.get("equal") and r["walls"] and "error" not in r]
    fit = [n for n in equal if len(results[n]["walls"]) == rounds] or equal
    if fit and OURS not in found["failed"]:
        best = found["best"] = min(fit, key=lambda name: median(results[name]["walls"]))

        def ratios(kind):
            return [theirs / ours for theirs, ours in zip(results[best][kind], results[OURS][kind])]

        walls = ratios("walls")
        found["ratio"] = {"min": min(walls), "median": median(walls), "max": max(walls)}
        found["cpu_ratio"] = median(ratios("cpus"))
    return found


def table(summaries):
    """The Markdown of all rows: the ratios, then every peer's time and memory."""
    heads = (
        "row",
        "ours",
        "best peer",
        "its time",
        "min",
        "**median**",
        "max",
        "CPU",
        "peak MB, ours / its",
        "results",
    )
    lines = _markdown(heads, map(_ratio_cells, summaries))
    names = list(dict.fromkeys(name for s in summaries for name in s["peers"]))
    lines += ["", "Median time of one step, and peak memory in MB. *: far slower, measured in one round only.", ""]
    lines += _markdown(["row", *names], ([s["row"], *(_peer_cell(s, name) for name in names)] for s in summaries))
    remarks = [f"- {s['row']}, {name}: {error}" for s in summaries for name, error in s["failed"].items()]
    return "\n".join([*lines, *(["", "Not measured:", "", *remarks] if remarks else [])]) + "\n"


def _markdown(heads, rows):
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def _time(s, name):
    scale = {"ms": 1e3, "s": 1.0}[s["unit"]]
    return f"{median(s['peers'][name]['walls']) * scale:.3g} {s['unit']}"


def _megabytes(s, name):
    return f"{s['peers'][name].get('peak', 0) / 1e6:.0f}"


def _ratio_cells(s):
    unequal = ", ".join(f"{name} ({value:.1g})" for name, value in s["unequal"].items())
    verdict = f"differ: {unequal}" if unequal else "equal"
    if OURS in s["failed"]:
        return [s["row"], *"-" * 8, "skipped"]
    if s["best"] is None:
        return [s["row"], _time(s, OURS), *"-" * 7, verdict]
    ratios = (s["ratio"]["min"], s["ratio"]["median"], s["ratio"]["max"], s["cpu_ratio"])
    least, middle, most, cpu = (f"{r:.2f}" for r in ratios)
    memory = f"{_megabytes(s, OURS)} / {_megabytes(s, s['best'])}"
    times = _time(s, OURS), s["best"], _time(s, s["best"])
    return [s["row"], *times, least, f"**{middle}**", most, cpu, memory, verdict]


def _peer_cell(s, name):
    walls = s["peers"].get(name, {}).get("walls")
    return f"{_time(s, name)}{'*' * (len(walls) < s['rounds'])}, {_megabytes(s, name)}" if walls else "-"


def write(folder, summaries, stem="results"):
    """Adds the rows to `results.json` and `results.md` in the folder; other rows stay as an earlier run left them."""
    path = Path(folder) / f"{stem}.json"
    before = json.loads(path.read_text())["rows"] if path.exists() else []
    rows = {s["row"]: s for s in (*before, *summaries)}
    rows = [rows[name] for name in ROWS if name in rows]
    cpu = Path("/proc/cpuinfo")
    models = [line for line in cpu.read_text().splitlines() if "model name" in line] if cpu.exists() else []
    name = models[0].split(":")[1].strip() if models else platform.processor()
    about = {"machine": f"{os.cpu_count()} cores of {name}", "python": platform.python_version()}
    about |= {"peers": REQUIREMENTS, "rows": rows}
    markdown = f"{about['machine']}; Python {about['python']}.\n\n{table(rows)}"
    for target, content in ((path, json.dumps(about, indent=1)), (path.with_suffix(".md"), markdown)):
        temporary = target.with_name(target.name + ".new")
        temporary.write_text(content)
        temporary.replace(target)
