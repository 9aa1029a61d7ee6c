"""Programs that are killed and started again, in an event loop."""

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

START_SECONDS = 30.0
# Below the ports that Linux gives to connections: while a program is down, nothing else
# of a machine full of connections may take its port.
PORTS = range(18_000, 32_000)


def free_port() -> int:
    """A port to listen on, again and again."""
    for port in random.SystemRandom().sample(PORTS, 1000):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port from {PORTS.start} to {PORTS.stop}")


class Process:
    """One program with fixed arguments, started as often as needed; what it says is in `log`."""

    def __init__(
        self, arguments: Sequence[str | Path], log: Path, environment: Mapping[str, str]
    ) -> None:
        self._arguments = [os.fspath(argument) for argument in arguments]
        self._log = log
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, ready: str | None = None) -> None:
        """Returns once `ready` matches what it has said since; at once without."""
        with self._log.open("ab") as log:
            said = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        if ready is not None:
            await asyncio.wait_for(self._until_said(ready, said), START_SECONDS)

    async def _until_said(self, ready: str, offset: int) -> None:
        assert self._process is not None
        while True:
            ended = self._process.returncode is not None
            with self._log.open("rb") as log:
                log.seek(offset)
                text = log.read().decode(errors="replace")
            if re.search(ready, text):
                return
            if ended:
                raise RuntimeError(f"{self._arguments[0]} did not start: {text}")
            await asyncio.sleep(0.01)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Of the program that was started last."""
        assert self._process is not None
        return self._process.pid

    async def wait(self) -> int:
        """The exit code; negative is the signal that ended it."""
        assert self._process is not None
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        if self.running:
            # It may have ended while its end is not yet known here. asyncio's send_signal() would
            # then take its exit code away from wait(), which would say 255.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """Returns once it has ended."""
        if self._process is not None:
            self.send(signal.SIGKILL)
            await self.wait()
