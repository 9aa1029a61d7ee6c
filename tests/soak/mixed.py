"""What ./run soak --minutes N does: a mixed load whose every extraction is compared, while a
server is watched that serves all of it."""

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from mixed_load import Load, MixedLoad
from mixed_plot import draw
from mixed_verdict import Block

from programs import ROOT

FOLDER = ROOT / ".build/soak"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    parser.add_argument("--minutes", type=float, required=True, help="how long the load lasts")
    parser.add_argument("--seed", type=int, default=1, help="default %(default)s")
    parser.add_argument(
        "--clients", type=int, default=5, help="clients at a time; default %(default)s"
    )
    parser.add_argument(
        "--append", action="store_true", help="add to the blocks of .build/soak/mixed.json"
    )
    parser.add_argument(
        "--svg",
        type=Path,
        default=FOLDER / "mixed.svg",
        help="where the plot goes; default .build/soak/mixed.svg",
    )
    return parser.parse_args()


def version() -> str:
    """Of the sources; empty outside of git."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(block: Block, file: Path, append: bool) -> None:
    """The figures of the blocks, and each second of the last one."""
    blocks = json.loads(file.read_text())["blocks"] if append and file.exists() else []
    blocks.append({"version": version(), **block.figures()})
    text = json.dumps({"blocks": blocks}, indent=2)
    file.write_text(text + "\n", encoding="utf-8")
    seconds = [
        {**asdict(sample), **asdict(counts)}
        for sample, counts in zip(block.samples, block.counts, strict=True)
    ]
    file.with_suffix(".seconds.json").write_text(
        json.dumps({"seconds": seconds, "first_rows": [asdict(row) for row in block.first_rows]})
        + "\n",
        encoding="utf-8",
    )


def summary(block: Block) -> str:
    figures = block.figures()
    server, first_row = figures["long_lived_server"], figures["first_row"]
    assert isinstance(server, dict)
    assert isinstance(first_row, dict)
    done = block.disturbances
    lines = [
        f"seed {block.seed}, {block.seconds / 60:.1f} minutes: "
        f"{figures['extractions_compared']} extractions compared "
        f"({block.rows_compared:,} rows): {block.rows_lost} lost, {block.rows_extra} too many",
        f"disturbances: {sum(done.values())} "
        f"({', '.join(f'{count} {name}' for name, count in sorted(done.items()))})",
        f"long-lived server: {server['streams']:,} streams, {server['requests']:,} requests, "
        f"{server['retries']:,} of them again; RSS at most {server['peak_rss_mib']} MiB",
    ]
    for name, unit in (("rss_mib", " MiB"), ("descriptors", ""), ("threads", "")):
        line = server[name]
        lines.append(
            f"  {name.removesuffix('_mib'):<12} {line['level']:>6}{unit} after the warm-up, then "
            f"{line['rise']:+.1f}{unit} until the end (at most {line['most_rise']:g})"
        )
    lines.append(
        f"first rows of {first_row['streams']:,} streams, by tenth: p50 "
        + ", ".join(f"{tenth['p50_ms']:.0f}" for tenth in first_row["tenths"])
        + " ms; p99 "
        + ", ".join(f"{tenth['p99_ms']:.0f}" for tenth in first_row["tenths"])
        + f" ms; p99 of the last third by that of the first: "
        f"{first_row['last_by_first_third_p99']} (at most {first_row['most']:g})"
    )
    return "\n".join(lines)


def main() -> int:
    flags = parse()
    load = Load(flags.seed, seconds=60 * flags.minutes, clients=flags.clients)
    # What failed stays, to be looked at.
    folder = Path(tempfile.mkdtemp(prefix="intercom-extractor-soak-"))
    # Also where it was started in the background, which ignores SIGINT: nothing stays behind.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    block = asyncio.run(MixedLoad(load, folder, lambda text: print(text, flush=True)).run())
    write(block, FOLDER / "mixed.json", flags.append)
    flags.svg.write_text(draw(block), encoding="utf-8")
    print(summary(block))
    for problem in block.problems():
        print(f"FAILED: {problem}")
    if block.problems():
        print(f"files: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
