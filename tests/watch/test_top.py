"""`intercom-extract top` against a server that works."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

from watched import Watched, running, until

from programs import INTERCOM_EXTRACT, clean_environment, run_command_line

# Its lists are read, and its size known, within a few requests.
SMALL = ("--users", "20", "--leads", "10", "--companies", "5", "--conversations", "12")


def top(watched: Watched, *flags: str) -> str:
    run = run_command_line("top", "--server", watched.address, *flags)
    assert run.exit_code == 0, run
    return run.stdout.decode()


def test_a_snapshot_says_what_runs_and_what_it_waits_for(tmp_path: Path) -> None:
    with running(tmp_path, *SMALL, "--quota", "5/10s") as watched:
        assert json.loads(top(watched, "--json"))["running"] == []
        assert "nothing runs" in top(watched)
        watched.start_extraction("--template", "all")

        def waits() -> dict:
            for extraction in json.loads(top(watched, "--json"))["running"]:
                if extraction["waiting_for"] == "quota" and extraction["remaining_seconds"]:
                    return extraction
            return {}

        extraction = until(waits, "it waits for the quota, and knows how long")
        assert extraction["connection"] == "default"
        assert re.fullmatch(r"[0-9a-f]{16}", extraction["id"])
        assert extraction["quota"]["limit"] == 5
        assert extraction["remaining_seconds"] > 10
        assert len(extraction["tables"]) == 22
        assert extraction["time_spent_seconds"].keys() == {"quota", "intercom", "consumer", "cpu"}
        text = top(watched)
        assert re.search(r"^default  waiting for the quota  ", text, re.M)
        assert re.search(r"^quota     \[=* *\] \d of 5 used in this window$", text, re.M)
        assert json.loads(top(watched, "--json", "--connection", "unused"))["running"] == []
        wrong = run_command_line("top", "--server", watched.address, "--connection", "nobody")
        assert wrong.exit_code == 2, wrong


def test_on_a_terminal_it_is_live_and_ends_well_with_an_interrupt(tmp_path: Path) -> None:
    with running(tmp_path, "--quota", "20/2s") as watched:
        watched.start_extraction("--template", "all")
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [INTERCOM_EXTRACT, "top", "--server", watched.address],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            env=clean_environment(TERM="xterm"),
        )
        os.close(theirs)
        seen = b""
        deadline = time.monotonic() + 60
        while seen.count(b"\x1b[Hserver") < 4 and time.monotonic() < deadline:
            if select.select([ours], [], [], 1)[0]:
                seen += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while select.select([ours], [], [], 5)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:  # The other end is closed.
                break
        os.close(ours)
        assert process.wait(timeout=30) == 0
    screens = seen.decode().split("\x1b[Hserver")
    assert len(screens) >= 5
    assert screens[0].endswith("\x1b[?1049h\x1b[?25l")
    assert screens[-1].endswith("\x1b[?25h\x1b[?1049l")
    assert len(set(re.findall(r"requests  .*", seen.decode()))) > 1


def test_no_server_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    run = run_command_line("top", "--server", "127.0.0.1:1")
    assert run.exit_code == 5, run
    run = run_command_line("top")
    assert run.exit_code == 2, run
    assert "--server HOST:PORT" in run.stderr
