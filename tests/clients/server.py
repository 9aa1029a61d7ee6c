"""The extractor server, which can be killed and started again at the same address."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meter import Meter, Sample
from process import free_port
from programs import ACCESS_TOKEN, INTERCOM_SERVER, clean_environment

START_SECONDS = 20.0


class Server:
    """`settings`: further lines of its configuration."""

    def __init__(
        self,
        folder: Path,
        base_url: str,
        *,
        settings: str = "",
        access_token: str = ACCESS_TOKEN,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = f"127.0.0.1:{free_port()}"
        self.log = folder / "server.log"
        self._config = folder / "server.yaml"
        self._environment = clean_environment(INTERCOM_ACCESS_TOKEN=access_token)
        self._config.write_text(
            f"{settings}"
            "connections:\n"
            "  - name: default\n"
            f"    base_url: {base_url}\n"
            "    access_token_env: INTERCOM_ACCESS_TOKEN\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it listens."""
        arguments = [INTERCOM_SERVER, "--config", self._config, "--listen", self.address]
        with self.log.open("ab") as log:
            said = log.tell()
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        deadline = time.monotonic() + START_SECONDS
        while b"listening on" not in (text := self.log.read_bytes()[said:]):
            assert self._process.poll() is None, text.decode()
            assert time.monotonic() < deadline, text.decode()
            time.sleep(0.01)

    def look(self) -> Sample:
        """What the process holds now."""
        assert self._process is not None
        meter = Meter(self._process.pid)
        meter.look()
        return meter.samples[-1]

    def end(self, number: signal.Signals) -> None:
        """Returns once it has ended of the signal."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=START_SECONDS + 20)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGKILL)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()
