"""Starts the programs under test, and stops what it started."""

import json
import os
import re
import selectors
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACCESS_TOKEN = "fake-access-token"
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
RUN_SECONDS = 60.0


def program(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or ROOT / "bazel-bin" / default)


FAKE_INTERCOM = program("FAKE_INTERCOM", "tests/fake_intercom/fake-intercom")
INTERCOM_EXTRACT = program("INTERCOM_EXTRACT", "clients/cli/intercom-extract")
INTERCOM_SERVER = program("INTERCOM_SERVER", "server/intercom-extractor-server")


def clean_environment(**variables: str) -> dict[str, str]:
    """The caller's environment without what would change the programs' behaviour."""
    ours = re.compile(r"INTERCOM|.*_proxy$", re.IGNORECASE)
    inherited = {name: text for name, text in os.environ.items() if not ours.match(name)}
    return {**inherited, **variables}


def _first_match(process: subprocess.Popen[bytes], pattern: re.Pattern[str], log: Path) -> str:
    """The first group of `pattern` in what the process prints, once it does."""
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    printed = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not selector.select(deadline - time.monotonic()):
                break
            chunk = os.read(process.stdout.fileno(), 4096)
            printed += chunk
            found = pattern.search(printed.decode(errors="replace"))
            if found:
                return found[1]
            if not chunk:
                break
    said = printed.decode(errors="replace") + log.read_text(errors="replace")
    raise RuntimeError(f"{process.args!r} did not say where it listens: {said}")


@contextmanager
def _running(
    arguments: Sequence[str | Path], pattern: str, log: Path, environment: Mapping[str, str]
) -> Iterator[str]:
    """Runs a server until the block ends; yields what `pattern` finds in its first lines.

    Both streams end in `log`, except for those first lines where they are on stdout.
    """
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
        )
    try:
        yield _first_match(process, re.compile(pattern), log)
    finally:
        process.terminate()
        try:
            rest, _ = process.communicate(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            rest, _ = process.communicate()
        with log.open("ab") as file:
            file.write(rest)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


# The fake is on the loopback interface: no proxy of the environment may come between.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Fake:
    """A running fake Intercom and the flags that made its workspace."""

    base_url: str
    flags: tuple[str, ...]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = ACCESS_TOKEN,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Answer:
        url = self.base_url + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = (
            None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Accept", "application/json")
        request.add_header("Authorization", f"Bearer {token}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, text in (headers or {}).items():
            request.add_header(name, text)
        try:
            with _opener.open(request, timeout=RUN_SECONDS) as response:
                return Answer(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str, **query: str | int) -> Any:
        answer = self.request("GET", path, query=query)
        assert answer.status == 200, f"GET {path}: {answer}"
        return answer.json

    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.get("/__stats")
        return stats


@contextmanager
def running_fake(log: Path, *flags: str) -> Iterator[Fake]:
    arguments: list[str | Path] = [FAKE_INTERCOM, *flags]
    with _running(arguments, r"listening on (http\S+)\n", log, clean_environment()) as base_url:
        yield Fake(base_url, flags)


def write_expected(directory: Path, *flags: str) -> Path:
    """Has the fake write the CSV files that a full extraction must give."""
    subprocess.run(
        [FAKE_INTERCOM, *flags, "--expect", directory, "--expect-only"],
        check=True,
        timeout=RUN_SECONDS,
        env=clean_environment(),
        capture_output=True,
    )
    return directory


@contextmanager
def running_server(
    config: Path, log: Path, *flags: str, token: str = ACCESS_TOKEN
) -> Iterator[str]:
    """Runs the extractor server on a free port; yields HOST:PORT."""
    # Stderr joins stdout, wherever the line is written.
    arguments: list[str | Path] = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', INTERCOM_SERVER]
    arguments += ["--config", config, "--listen", "127.0.0.1:0", *flags]
    environment = clean_environment(INTERCOM_ACCESS_TOKEN=token)
    with _running(arguments, r"listening on \"?((?:\d+\.){3}\d+:\d+)", log, environment) as address:
        yield address


@dataclass(frozen=True)
class Run:
    """What a run of the command line gave."""

    exit_code: int
    stdout: bytes
    stderr: str
    output: Path = field(default=Path())

    def __str__(self) -> str:
        return f"exit code {self.exit_code}\n{self.stderr}"


def run_command_line(
    *arguments: str | Path,
    token: str | None = ACCESS_TOKEN,
    output: Path = Path(),
    preexec: Callable[[], None] | None = None,
    seconds: float | None = RUN_SECONDS,
    **variables: str,
) -> Run:
    """`seconds`: how long it may take; None: however long it takes."""
    if token is not None:
        variables["INTERCOM_ACCESS_TOKEN"] = token
    done = subprocess.run(
        [INTERCOM_EXTRACT, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        env=clean_environment(**variables),
        preexec_fn=preexec,
    )
    if token is not None:
        assert token.encode() not in done.stdout + done.stderr, "the access token was shown"
    return Run(done.returncode, done.stdout, done.stderr.decode(errors="replace"), output)


def extract(base_url: str, output: Path, *arguments: str | Path, **options: Any) -> Run:
    """Extracts into `output` with the server inside the process."""
    connection = ("--embedded", "--base-url", base_url)
    return run_command_line(
        *("extract", *connection, "--output", output, *arguments), output=output, **options
    )
