"""A server that a test starts, kills, and starts again with its data."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

STOP_SECONDS = 30.0


class ServerProcess:
    """Runs until it is stopped; what it says is in `log`, after what was there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, command: Sequence[str | Path]) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def start(self) -> None:
        """Launches it, and returns once it answers."""
        raise NotImplementedError

    def until_it_answers(self, seconds: float) -> Iterator[None]:
        """One step for each try to reach it; an error where it ended, or it takes too long."""
        assert self._process is not None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            yield
            time.sleep(0.02)
        raise RuntimeError(f"it did not start: {self.log.read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


AnyServer = TypeVar("AnyServer", bound=ServerProcess)


@contextlib.contextmanager
def running(kind: type[AnyServer], *settings: str) -> Iterator[AnyServer]:
    """One with a folder of its own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix=f"sink-{kind.__name__.lower()}-") as folder:
        server = kind(Path(folder), *settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()
