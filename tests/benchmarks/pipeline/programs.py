"""Starts the programs that are measured, says what they use, and stops them."""

import contextlib
import os
import re
import selectors
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_BIN = ROOT / "bazel-bin"
SAMPLE_INTERCOM = _BIN / "tests/benchmarks/pipeline/sample-intercom"
BARE_DOWNLOAD = _BIN / "tests/benchmarks/pipeline/bare-download"
STREAM_READER = _BIN / "tests/benchmarks/pipeline/stream-reader"
_HELPERS = (SAMPLE_INTERCOM, BARE_DOWNLOAD, STREAM_READER)
INTERCOM_EXTRACT = _BIN / "clients/cli/intercom-extract"
INTERCOM_SERVER = _BIN / "server/intercom-extractor-server"
# Puts HTTP/2 in front of the sample; Debian's package nghttp2-proxy.
NGHTTPX = "nghttpx"

START_SECONDS = 20.0
_TOKEN = "fake-access-token"


class Failure(Exception):
    """A program did not do what it was measured at."""


def clean_environment() -> dict[str, str]:
    """The caller's environment without what would change the programs' behaviour."""
    ours = re.compile(r"INTERCOM|.*_proxy$", re.IGNORECASE)
    inherited = {name: text for name, text in os.environ.items() if not ours.match(name)}
    return {**inherited, "INTERCOM_ACCESS_TOKEN": _TOKEN}


def require_programs() -> None:
    """What is measured has been built, and was built last."""
    for program in (*_HELPERS, INTERCOM_EXTRACT, INTERCOM_SERVER):
        if not program.exists():
            raise Failure(f"bazel-bin has no {program.name}; ./run bench pipeline builds it")


class Program:
    """A running program. Use it with `running`, which ends it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        """What all its threads have used so far, to the nanosecond."""
        # The clock of another process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def peak_rss_kib(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
        if found is None:
            raise Failure(f"{self._process.args!r} has ended")
        return int(found[1])

    def await_output(self, pattern: str) -> re.Match[str]:
        """What `pattern` finds in the program's output, once it is there."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        printed = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                chunk = os.read(self._process.stdout.fileno(), 4096)
                printed += chunk
                found = re.search(pattern, printed.decode(errors="replace"))
                if found:
                    return found
                if not chunk:
                    break
        raise Failure(f"{self._process.args!r} did not say {pattern!r}: {printed!r}")


@contextlib.contextmanager
def running(arguments: Sequence[str | Path]) -> Iterator[Program]:
    """Runs a program until the block ends; its output is `await_output`'s."""
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=clean_environment(),
    )
    try:
        yield Program(process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def output_of(arguments: Sequence[str | Path]) -> str:
    """What a program prints that ends with 0."""
    done = subprocess.run(
        arguments, stdin=subprocess.DEVNULL, capture_output=True, env=clean_environment()
    )
    if done.returncode != 0:
        raise Failure(f"{arguments!r} ended with {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def usage_of(arguments: Sequence[str | Path]) -> Mapping[str, float]:
    """Runs a program to its end: wall and CPU seconds from its start."""
    start = time.monotonic()
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise Failure(f"{arguments!r} ended with {process.returncode}: {said.decode()}")
    return {"wall_seconds": wall, "cpu_seconds": usage.ru_utime + usage.ru_stime}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def connections_to(port: int) -> int:
    """How many TCP connections there are to a port of this machine."""
    established = "01"
    count = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, _, remote, state, *_ = line.split()
        if state == established and int(remote.rpartition(":")[2], 16) == port:
            count += 1
    return count


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the loopback and its key, which nobody else trusts."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    output_of(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=loopback"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ]
    )
    return certificate, key
