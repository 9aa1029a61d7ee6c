"""Reads the topics that `intercom-extract --sink kafka://...` fills, and keeps their tables as
Parquet files: OUTPUT/tables/<table>/*.parquet, what is in the workspace now, each row once.

Run again it goes on where it was; whatever kills it when. README.md says more.
"""

import argparse
import fcntl
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa

from intercom_extractor.descriptions import known_tables
from present_tables import PresentTables, StateError, owners
from snapshots import Snapshots
from topics import Found, Records, Topics, UnreachableError, UsageError, parse_url

# As those of intercom-extract.
COMPLETE, USAGE, UNREACHABLE, OUTPUT, INTERRUPTED = 0, 2, 5, 6, 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kafka_to_parquet.py",
        description="Reads the topics that `intercom-extract --sink kafka://...`, or a fleet, "
        "fills, and keeps their tables as Parquet files in OUTPUT/tables/<table>/. Run again it "
        "reads what has come since.",
        epilog="Exit codes: 0 done, 2 a person has to change something, 5 Kafka is unreachable, "
        "6 the output cannot be written, 130 interrupted; what was read is kept.",
    )
    add = parser.add_argument
    add(
        "--source",
        required=True,
        metavar="URL",
        help="as of --sink: kafka://HOST:PORT,HOST:PORT/?prefix=NAME; password from "
        "INTERCOM_SINK_PASSWORD",
    )
    add("--output", required=True, type=Path, metavar="DIR")
    add("--timestamps", action="store_true", help="Unix seconds as timestamps in UTC")
    add(
        "--every",
        type=float,
        metavar="SECONDS",
        help="again and again, until SIGTERM; without it once",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _only_one(options.output):
            _keep(options)
        return COMPLETE
    except (UsageError, StateError) as error:
        return _failed(error, USAGE)
    except UnreachableError as error:
        return _failed(error, UNREACHABLE)
    except pa.ArrowInvalid as error:
        return _failed(f"a record does not fit the columns of its table: {error}", USAGE)
    except (OSError, sqlite3.Error) as error:
        return _failed(f"{options.output}: {error}", OUTPUT)
    except KeyboardInterrupt:
        return INTERRUPTED


def _failed(why: object, code: int) -> int:
    print(f"kafka_to_parquet.py: {why}", file=sys.stderr)
    return code


@contextmanager
def _only_one(output: Path) -> Iterator[None]:
    """The folder is this process's until the block ends, or it dies."""
    output.mkdir(parents=True, exist_ok=True)
    with (output / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another process writes to {output}") from None
        yield


def _keep(options: argparse.Namespace) -> None:
    source = parse_url(options.source, os.environ.get("INTERCOM_SINK_PASSWORD", ""))
    tables = known_tables()
    with (
        closing(Topics(source, tables)) as topics,
        closing(PresentTables(options.output / "state.sqlite", tables)) as state,
    ):
        while True:
            begun = time.monotonic()
            found = topics.find()
            _check(state, found, options.output)
            records = Records(tables, owners(tables), of_fleet=found.of_fleet)
            snapshots = Snapshots(
                options.output,
                tables,
                records,
                of_fleet=found.of_fleet,
                timestamps=options.timestamps,
            )
            count = 0
            for piece in topics.read(state.offsets(), found.ends, records):
                state.write(piece)
                count += len(piece.events) + sum(map(len, piece.rows.values()))
            rows = snapshots.add(state, found.tables, state.offsets())
            _report(options.output, count, rows, time.monotonic() - begun)
            if options.every is None:
                return
            time.sleep(max(0.0, begun + options.every - time.monotonic()))


def _check(state: PresentTables, found: Found, output: Path) -> None:
    fleet = "a fleet's" if found.of_fleet else "one workspace's"
    state.bind("kind", fleet, f"{output} is not of {fleet} topics. Read into a new --output")
    for topic, id in found.ids.items():
        state.bind(
            f"id of {topic}",
            id,
            f"topic {topic} is not the one that {output} was read from: it was deleted and made "
            "anew, or is another cluster's. Read into a new --output",
        )


def _report(output: Path, count: int, rows: dict[str, int] | None, seconds: float) -> None:
    for table, number in (rows or {}).items():
        print(f"{table:<34}{number:>12,}", file=sys.stderr)
    what = f"written to {output}/tables" if rows else "nothing has changed"
    print(f"{count:,} records read in {seconds:.1f} s; {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
