"""intercom-extract with --sink, in the way that all sinks are tested."""

import subprocess
from pathlib import Path

from postgres import PASSWORD

from programs import ACCESS_TOKEN, INTERCOM_EXTRACT, Run, clean_environment, run_command_line

COMPLETE, USAGE, OUTPUT = 0, 2, 6


def _arguments(base_url: str, url: str, *more: str) -> list[str]:
    connection = ["--embedded", "--base-url", base_url]
    return ["extract", *connection, "--template", "all", "--sink", url, *more]


def extract_into(base_url: str, url: str, *more: str, password: str = PASSWORD) -> Run:
    arguments = _arguments(base_url, url, *more)
    run = run_command_line(*arguments, PGPASSWORD=password, INTERCOM_SINK_PASSWORD=password)
    assert password not in run.stderr, "the password was shown"
    return run


def start_into(base_url: str, url: str, log: Path, *more: str) -> subprocess.Popen[bytes]:
    """The same without waiting; what it says is in `log`, after what was there."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [INTERCOM_EXTRACT, *_arguments(base_url, url, *more)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=clean_environment(
                INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN,
                PGPASSWORD=PASSWORD,
                INTERCOM_SINK_PASSWORD=PASSWORD,
            ),
        )
