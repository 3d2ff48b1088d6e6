"""Measures rows in this library and its peers, side by side; docs/performance.md tells how to read the table."""

import argparse
import subprocess
import sys
from pathlib import Path

from . import environments, report, runner
from .rows import ROWS


def arguments(given=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    instead = "an interpreter that has the peer, instead of making an environment"
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows to run (default: all; --list names them)")
    parser.add_argument("--peers", default=",".join(environments.REQUIREMENTS), help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each peer (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of measuring, a turn (default: %(default)s)")
    parser.add_argument("--smoke", action="store_true", help="small, one round: shows that everything runs")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--output", type=Path, default=Path("bench-output"), metavar="FOLDER")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help=instead)
    options = parser.parse_args(given)
    try:
        options.rows = [ROWS[name] for name in options.rows or ROWS]
        options.pythons = dict(item.split("=", 1) for item in options.python)
        options.names = environments.selected([environments.OURS, *filter(None, options.peers.split(","))])
    except KeyError as error:
        parser.error(f"unknown row {error}; --list names them")
    except ValueError as error:
        parser.error(str(error))
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def main(given=None):
    """Returns 1 if the results of a row differ between peers."""
    options = arguments(given)
    if options.list:
        print("\n".join(ROWS))
        return 0
    for needed in dict.fromkeys(environments.PEERS[name].environment for name in options.names):
        if needed and needed not in options.pythons:
            try:
                environments.make(needed)
            except (subprocess.CalledProcessError, OSError) as error:
                print(f"Without {needed}: its environment could not be made. {error}", file=sys.stderr)
                options.names = [n for n in options.names if environments.PEERS[n].environment != needed]
    rounds, seconds, warm_up = (1, 0.0, 1) if options.smoke else (options.rounds, options.seconds, 2)
    output, stem, done = options.output.resolve(), "smoke" if options.smoke else "results", []
    for row in options.rows:
        print(f"{row.name} ...", file=sys.stderr, flush=True)
        start = runner.starters(row, options.names, output, options.pythons, options.smoke)
        done.append(report.summary(row, runner.side_by_side(row, start, rounds, seconds, warm_up)))
        report.write(output, done, stem)
    print(f"{report.table(done)}\nWritten to {options.output / stem}.md and .json")
    return int(any(s["unequal"] for s in done))


if __name__ == "__main__":
    sys.exit(main())
