"""A server with a port for those who watch, and what they read there."""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs import (
    ACCESS_TOKEN,
    INTERCOM_EXTRACT,
    INTERCOM_SERVER,
    Fake,
    clean_environment,
    running_fake,
)

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 60.0

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def until(true: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """What `true` returns once that is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, f"after {seconds} s not yet: {what}"
        time.sleep(0.05)


@dataclass(frozen=True)
class Metric:
    """One line of the documentation."""

    name: str
    type: str
    labels: tuple[str, ...]


def documented_metrics() -> dict[str, Metric]:
    found = {}
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        row = re.match(r"\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*)\|", line)
        if row:
            labels = tuple(re.findall(r"`(\w+)`", row[3]))
            found[row[1]] = Metric(row[1], row[2], labels)
    assert len(found) > 20
    return found


def samples_of(text: str) -> dict[str, dict[str, float]]:
    """Values by name and then by labels, as the text has them."""
    found: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
        found.setdefault(name, {})[labels or ""] = float(value)
    return found


@dataclass
class Watched:
    """A running server, its fake Intercom, and extractions that run."""

    fake: Fake
    folder: Path
    process: subprocess.Popen[bytes]
    address: str
    url: str
    extractions: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with _opener.open(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self) -> dict[str, dict[str, float]]:
        return samples_of(self.get("metrics")[1])

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.get("status.json")[1])
        return status

    def log(self) -> list[dict[str, Any]]:
        lines = (self.folder / "server.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def start_extraction(self, *arguments: str, keep_reading: bool = True) -> subprocess.Popen:
        """Without reading on, the pipe fills and the server has to wait for it."""
        output = self.folder / f"out-{len(self.extractions)}"
        target = ("--output", str(output)) if keep_reading else ("--output", "-")
        process = subprocess.Popen(
            [INTERCOM_EXTRACT, "extract", "--server", self.address, *target, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if keep_reading else subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
        )
        self.extractions.append(process)
        return process

    def stop_extractions(self) -> None:
        for process in self.extractions:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        self.extractions.clear()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def running(folder: Path, *fake_flags: str, level: str = "info") -> Iterator[Watched]:
    """Until the block ends. The server logs JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_fake(folder / "fake.log", *fake_flags) as fake:
        file = folder / "server.yaml"
        file.write_text(
            "listen: 127.0.0.1:0\nmetrics: {listen: '127.0.0.1:0'}\n"
            f"connections:\n  - name: default\n    base_url: {fake.base_url}\n"
            "    access_token_env: INTERCOM_ACCESS_TOKEN\n"
            f"  - name: unused\n    base_url: {fake.base_url}\n"
            "    access_token_env: INTERCOM_ACCESS_TOKEN\n"
        )
        log = folder / "server.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [INTERCOM_SERVER, "--config", file, "--log-format", "json", "--log-level", level],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN),
            )
        try:
            said = until(
                lambda: re.search(
                    r"status page on (http://\S+/).*listening on ([\d.:]+)", log.read_text(), re.S
                ),
                f"where the server listens: {log.read_text()}",
            )
            watched = Watched(fake, folder, process, said[2], said[1])
            try:
                yield watched
            finally:
                watched.stop_extractions()
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Scraper:
    """Scrapes again and again, on a thread of its own, until the block ends."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        # What each gave.
        self.texts: list[str] = []

    def __enter__(self) -> "Scraper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def scrape(self) -> None:
        self.texts.append(self._watched.get("metrics")[1])

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.scrape()
            except OSError:  # The server has ended.
                return
            self._stop.wait(0.05)


def output_folder() -> Path:
    return Path(os.environ.get("WATCH_OUTPUT") or ROOT / ".build/watch")
