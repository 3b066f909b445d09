"""How fast is the simulator? Its operations beside the same ones on the Linux kernel below it.

    python benchmarks/kernel.py                  a table with the project's budgets
    python benchmarks/kernel.py --json           one JSON object
    python benchmarks/kernel.py --pages 200,16384

`anonlab bench` is the same measurement, which also says in JSON what is over its budget. This is a
benchmark, not a test: it judges, but never fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # measure the anonlab beside this file

from anonlab.bench.report import DEFAULT_MMS, DEFAULT_PAGES, counts, measure, print_tables


def main() -> None:
    """Measure and print; a mistake of the caller or a missing compiler ends in one clear line."""
    options = arguments()
    try:
        report = measure(options.pages, options.mms, options.repetitions, say)
    except RuntimeError as error:
        sys.exit(f"benchmarks/kernel.py: {error}")
    if options.json:
        print(json.dumps(report))
    else:
        print_tables(report)


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--pages", type=numbers, default=DEFAULT_PAGES, help="sizes: 200,16384")
    parser.add_argument("--mms", type=numbers, default=DEFAULT_MMS, help="group sizes of the walk")
    parser.add_argument(
        "--repetitions", type=int, help="instead of 15 (5 above 100,000 pages); for a quick look"
    )
    options = parser.parse_args()
    if options.repetitions is not None and options.repetitions < 1:
        parser.error(f"--repetitions must be >= 1, got {options.repetitions}")
    return options


def numbers(text: str) -> list[int]:
    """Return the numbers in `text`; raises ArgumentTypeError."""
    try:
        return counts(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def say(progress: str) -> None:
    """Tell a waiting person where we are, on standard error."""
    if sys.stderr.isatty():
        print(f"measuring {progress} …", file=sys.stderr)


if __name__ == "__main__":
    main()
