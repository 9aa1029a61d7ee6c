"""The command `intercom-extract-py`: a workspace as Parquet files."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc

from intercom_extractor.channel import TLS
from intercom_extractor.client import Client
from intercom_extractor.errors import ExtractorError
from intercom_extractor.v1.extractor_service_pb2 import (
    SEVERITY_INFO,
    TABLE_STATUS_COMPLETE,
    Notice,
    Progress,
    Severity,
    Summary,
    TableStatus,
    WaitReason,
)

# As those of intercom-extract.
COMPLETE, USAGE, AUTHENTICATION, PARTIAL, UNREACHABLE, OUTPUT, INTERRUPTED = 0, 2, 3, 4, 5, 6, 130

_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: USAGE,
    grpc.StatusCode.NOT_FOUND: USAGE,
    grpc.StatusCode.FAILED_PRECONDITION: USAGE,
    grpc.StatusCode.UNAUTHENTICATED: AUTHENTICATION,
    grpc.StatusCode.PERMISSION_DENIED: AUTHENTICATION,
}


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="intercom-extract-py",
        description="Reads a workspace from an Intercom extractor server into Parquet files, "
        "<table>.parquet for each table.",
    )
    add = parser.add_argument
    add("--server", default="localhost:50051", metavar="HOST:PORT", help="default: %(default)s")
    add("--connection", default="default", metavar="NAME", help="a workspace of the server")
    add("--output", required=True, type=Path, metavar="DIR")
    add("--template", choices=["basic", "conversations", "all"], help="default: all")
    add("--tables", default="", metavar="A,B,C", help="single tables, besides the template's")
    add("--updated-since", type=_time, metavar="TIME", help="only what changed since, as ISO 8601")
    add("--timestamps", action="store_true", help="Unix seconds as timestamps in UTC")
    add("--caller-token-file", type=Path, metavar="FILE", help="what the server asks callers for")
    add("--ca-file", type=Path, metavar="FILE", help="authorities to trust, PEM")
    add("--cert-file", type=Path, metavar="FILE", help="client certificate, PEM")
    add("--key-file", type=Path, metavar="FILE", help="its key, PEM")
    add("--quiet", action="store_true", help="no progress bar, no notices")
    return parser


class _Bar:
    """Progress and notices on stderr."""

    def __init__(self, quiet: bool) -> None:
        # Imported here: without the extra, --help still helps.
        from tqdm import tqdm

        self._bar: Any = tqdm(unit=" rows", file=sys.stderr, disable=quiet, dynamic_ncols=True)
        self._quiet = quiet

    def on_progress(self, progress: Progress) -> None:
        known = [table for table in progress.tables if table.HasField("rows_expected")]
        rows = sum(table.rows for table in progress.tables)
        if known:
            # Tables whose size Intercom does not tell count as what has come of them.
            unknown = sum(
                table.rows for table in progress.tables if not table.HasField("rows_expected")
            )
            self._bar.total = max(rows, unknown + sum(table.rows_expected for table in known))
        waiting = WaitReason.Name(progress.waiting_for).removeprefix("WAIT_REASON_").lower()
        self._bar.set_postfix_str("" if waiting == "unspecified" else f"waits for {waiting}")
        self._bar.update(rows - self._bar.n)

    def on_notice(self, notice: Notice) -> None:
        if notice.severity == SEVERITY_INFO:
            return
        severity = Severity.Name(notice.severity).removeprefix("SEVERITY_").lower()
        self._say(f"{severity}: {notice.table}: {notice.message}")

    def on_reconnect(self, error: ExtractorError, seconds: float) -> None:
        self._say(f"note: lost the connection ({error}); goes on in {seconds:.1f} s")

    def end(self, summary: Summary) -> None:
        rows = sum(table.rows for table in summary.tables)
        self._bar.total = rows
        self._bar.set_postfix_str("")
        self._bar.update(rows - self._bar.n)

    def close(self) -> None:
        self._bar.close()

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._bar.write(text, file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return _extract(options)
    except ExtractorError as error:
        return _failed(error, _CODES.get(error.code, UNREACHABLE))
    except ValueError as error:
        return _failed(error, USAGE)
    except ImportError as error:
        return _failed(f"{error}; pip install 'intercom-extractor-client[cli]'", USAGE)
    except OSError as error:
        return _failed(error, OUTPUT)
    except KeyboardInterrupt:
        return INTERRUPTED


def _failed(why: object, code: int) -> int:
    print(f"intercom-extract-py: {why}", file=sys.stderr)
    return code


def _extract(options: argparse.Namespace) -> int:
    tls = None
    if options.ca_file or options.cert_file:
        tls = TLS(options.ca_file, options.cert_file, options.key_file)
    token = None
    if options.caller_token_file:
        token = options.caller_token_file.read_text(encoding="utf-8").strip()
    tables = [name for name in options.tables.split(",") if name]
    bar = _Bar(options.quiet)
    try:
        with Client(options.server, connection=options.connection, tls=tls, token=token) as client:
            extraction = client.extract(
                tables,
                template=options.template,
                updated_since=options.updated_since,
                on_progress=bar.on_progress,
                on_notice=bar.on_notice,
                on_reconnect=bar.on_reconnect,
            )
            with extraction:
                extraction.to_parquet(options.output, timestamps=options.timestamps)
        summary = extraction.summary
        assert summary is not None
        bar.end(summary)
    finally:
        bar.close()
    return _report(summary, options.output)


def _report(summary: Summary, output: Path) -> int:
    complete = True
    for table in summary.tables:
        status = TableStatus.Name(table.status).removeprefix("TABLE_STATUS_").lower()
        why = f": {table.error.message}" if table.HasField("error") else ""
        print(f"{table.table:32}{table.rows:>12,}  {status}{why}", file=sys.stderr)
        complete = complete and table.status == TABLE_STATUS_COMPLETE
    print(f"written to {output}", file=sys.stderr)
    return COMPLETE if complete else PARTIAL


if __name__ == "__main__":
    sys.exit(main())
