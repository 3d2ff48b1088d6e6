"""`python -m tests.differential --count 500`: compares programs with a peer, shrinks what differs and prints it."""

import argparse
import sys
import time
from collections import Counter

from .comparing import examine
from .peers import PEERS, Pair
from .programs import HEADER, PRELUDE, Program
from .shrinking import shrink


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the first program's seed; the others count on from it")
    parser.add_argument("--peer", choices=sorted(PEERS), default="keras")
    parser.add_argument("--show", action="store_true", help="print each program before it runs")
    parser.add_argument("--no-shrink", action="store_true", help="print failing programs as they were drawn")
    parser.add_argument("--each", type=int, default=1, help="how many findings of one kind are shrunk and printed")
    given = parser.parse_args(arguments)
    seen, known, start = Counter(), Counter(), time.monotonic()
    with Pair(given.peer) as pair:
        for seed in range(given.seed, given.seed + given.count):
            program = Program(seed, new=given.peer == "keras").source
            if given.show:
                print(f"# seed {seed}\n{program}", flush=True)
            finding = examine(pair, PRELUDE + program)
            if finding is None:
                continue
            if finding.reason:
                known[finding.reason] += 1
                continue
            seen[finding.key] += 1
            if seen[finding.key] > given.each:
                print(f"== seed {seed}: again {finding.key}", flush=True)
                continue
            if not given.no_shrink:
                program, finding = shrink(pair, program, finding)
            report(seed, program, finding)
    seconds = time.monotonic() - start
    print(
        f"\n{given.count} programs against {given.peer} in {seconds:.0f} s ({60 * given.count / seconds:.0f} a minute)."
    )
    print(f"{sum(seen.values())} findings, {sum(known.values())} known differences; both refused {pair.refused} times.")
    for name, number in (*seen.most_common(), *known.most_common()):
        print(f"{number:5} {name}")
    return bool(seen)


def report(seed, program, finding):
    """Prints a finding, and the program that shows it as it runs alone."""
    print(f"== seed {seed}: {finding}\n-- program\n{HEADER}{PRELUDE}{program}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
