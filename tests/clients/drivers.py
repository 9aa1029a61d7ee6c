"""The drivers of the languages: finds, prepares and runs them."""

import base64
import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs import ROOT

LANGUAGES = ("cpp", "python", "go", "node", "java", "rust")
# A cold build of a language's client.
PREPARE_SECONDS = 900.0
# For one scenario; what hangs is a finding.
RUN_SECONDS = 120.0
NO_TOOLCHAIN = 77


class Unavailable(Exception):
    """The language cannot be tested here; the message says why."""


@dataclass(frozen=True)
class Request:
    """As `request` of a scenario."""

    template: str | None = None
    tables: tuple[str, ...] = ()
    updated_since: int | None = None
    find_deleted: bool = False
    resume_token: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "template": self.template,
            "tables": list(self.tables),
            "updated_since": self.updated_since,
            "find_deleted": self.find_deleted,
            "resume_token": self.resume_token,
        }


@dataclass(frozen=True)
class Result:
    """What a driver wrote, and the files beside it."""

    output: Path
    json: Mapping[str, Any]
    seconds: float

    @property
    def error(self) -> dict[str, Any] | None:
        error: dict[str, Any] | None = self.json["error"]
        return error

    @property
    def rows(self) -> int:
        return sum(self.json["rows"].values())

    @property
    def resume_token(self) -> bytes | None:
        token = self.json["resume_token"]
        return None if token is None else base64.b64decode(token)


@dataclass
class Event:
    name: str
    rows: int


@dataclass
class Running:
    """A driver that carries out a scenario. `events`: what it said so far, in order."""

    process: subprocess.Popen[bytes]
    output: Path
    result: Path
    log: Path
    events: list[Event] = field(default_factory=list)
    _said: "queue.Queue[Event | None]" = field(default_factory=queue.Queue)
    _start: float = field(default_factory=time.monotonic)
    _end: float = 0.0

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self._said.put(Event(said["event"], said["rows"]))
        # However late somebody asks.
        self._end = time.monotonic()
        self._said.put(None)

    def await_event(self, name: str, count: int = 1) -> Event:
        """The next event of that name, `count` times."""
        deadline = time.monotonic() + RUN_SECONDS
        while True:
            try:
                event = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise AssertionError(f"the driver never said {name!r}; {self.describe()}") from None
            assert event is not None, f"the driver ended before {name!r}; {self.describe()}"
            self.events.append(event)
            count -= event.name == name
            if count == 0:
                return event

    def finish(self) -> Result:
        """Lets the driver end, and reads what it wrote."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            code = self.process.wait(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the driver hung; {self.describe()}") from None
        while (event := self._said.get(timeout=RUN_SECONDS)) is not None:
            self.events.append(event)
        assert code == 0, f"the driver ended with {code}; {self.describe()}"
        result = json.loads(self.result.read_text("utf-8"))
        return Result(self.output, result, self._end - self._start)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def describe(self) -> str:
        result = self.result.read_text("utf-8") if self.result.exists() else "no result"
        return f"events {self.events}, stderr {self.log.read_text('utf-8')[-2000:]}, {result}"


def _environment() -> dict[str, str]:
    """Without what is the suite's own."""
    ours = ("INTERCOM", "PYTHON")
    return {
        name: text for name, text in os.environ.items() if not any(mark in name for mark in ours)
    }


class Driver:
    """The driver of one language. `folder`: where scenarios and their files go."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._program = ROOT / "clients" / language / "acceptance" / "run"
        self._running: list[Running] = []

    def prepare(self) -> None:
        """Raises Unavailable."""
        if not self._program.exists():
            raise Unavailable(f"no {self._program.relative_to(ROOT)}")
        done = subprocess.run(
            [self._program, "prepare"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PREPARE_SECONDS,
            text=True,
            env=_environment(),
        )
        if done.returncode == NO_TOOLCHAIN:
            raise Unavailable(done.stderr.strip().splitlines()[-1])
        assert done.returncode == 0, f"{self.language}: {done.stdout}\n{done.stderr}"

    def start(
        self,
        folder: Path,
        target: str = "",
        request: Request | None = None,
        *,
        action: str = "extract",
        **options: Any,
    ) -> Running:
        """`options`: further keys of the scenario."""
        folder.mkdir(parents=True)
        output, result, log = folder / "output", folder / "result.json", folder / "driver.log"
        output.mkdir()
        scenario = {
            "action": action,
            "result": str(result),
            "target": target,
            "tls": None,
            "token": None,
            "connection": None,
            "request": (request or Request(template="all")).as_json(),
            "delivery": "default",
            "output": str(output),
            "deadline_seconds": None,
            "stop_after_rows": None,
            "stop_after_checkpoints": None,
            "pause": None,
            "files": [],
        }
        unknown = options.keys() - scenario.keys()
        assert not unknown, f"no such keys of a scenario: {unknown}"
        path = folder / "scenario.json"
        path.write_text(json.dumps(scenario | options), encoding="utf-8")
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [self._program, path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=_environment(),
            )
        running = Running(process, output, result, log)
        self._running.append(running)
        return running

    def run(self, folder: Path, target: str = "", *arguments: Any, **options: Any) -> Result:
        return self.start(folder, target, *arguments, **options).finish()

    def kill_all(self) -> None:
        """What a test that failed has left."""
        for running in self._running:
            running.kill()
        self._running.clear()
