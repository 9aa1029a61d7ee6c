"""Makes something of what benchmarks wrote.

    report.py page FILE...     docs/benchmarks.md and docs/benchmarks.svg
    report.py check FILE...    ends with 1, and says why, where a ratio is worse than it was
                               recorded, or misses its target
    report.py record FILE...   records the ratios of this run in tests/benchmarks/ratios.json
"""

import argparse
import sys
from pathlib import Path

import expectations
import page
import plot
import ratios

ROOT = Path(__file__).resolve().parents[3]
EXPECTATIONS = ROOT / "tests/benchmarks/ratios.json"
DOCS = ROOT / "docs"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["page", "check", "record"])
    parser.add_argument("files", nargs="+", type=Path, help="what Google Benchmark wrote")
    parser.add_argument("--ratios", type=Path, default=EXPECTATIONS, help="what is expected")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the page goes")
    return parser.parse_args()


def main() -> int:
    flags = parse()
    try:
        results = ratios.read(flags.files)
    except ratios.Unreadable as error:
        print(f"FAILED: {error}")
        return 1
    expected = expectations.read(flags.ratios)
    pairs = results.pairs()
    if results.busy:
        print(f"Note: {results.busy}")
    if not pairs:
        print("FAILED: no pair of benchmarks was measured")
        return 1
    if flags.what == "page":
        (flags.docs / "benchmarks.svg").write_text(plot.draw(results, expected), encoding="utf-8")
        text = page.write(results, expected, "benchmarks.svg")
        (flags.docs / "benchmarks.md").write_text(text, encoding="utf-8")
        print(f"{len(pairs)} pairs: docs/benchmarks.md")
    elif flags.what == "record":
        expectations.record(expected, results)
        expectations.write(flags.ratios, expected)
    else:
        problems = expectations.problems(expected, results)
        print(*(f"FAILED: {problem}" for problem in problems), sep="\n", end="\n" * bool(problems))
        print(f"{len(pairs)} pairs, {len(problems)} problems")
        return 1 if problems else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
