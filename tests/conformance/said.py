"""Keeps all that the programs say, to be searched for what they must not say."""

import base64
import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from programs import INTERCOM_SERVER, START_SECONDS, Run


@dataclass
class Said:
    """All that the programs have said and kept, but for the rows."""

    texts: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, run: Run) -> Run:
        self.texts[f"{name}, stdout"] = run.stdout
        self.texts[f"{name}, stderr"] = run.stderr.encode()
        return run

    def add_pages(self, log: Path) -> None:
        """Those of the port for those who watch, which the server's log names."""
        where = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())
        assert where is not None, log.read_text()
        for page in ("", "metrics", "status.json"):
            with urllib.request.urlopen(where[0] + page, timeout=20) as answer:
                self.texts[f"/{page}"] = answer.read()

    def found(self, secret: str) -> list[str]:
        # As it is, in JSON, and in base64 at any offset.
        forms = {secret.encode(), json.dumps(secret)[1:-1].encode()}
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + secret.encode())
            forms.add(encoded[4 if offset else 0 : -4])
        return [name for name, text in self.texts.items() if any(form in text for form in forms)]


@contextmanager
def talkative_server(
    config: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Logs all that it can into a file: a pipe that nobody reads would hold it up."""
    flags = ("--listen=127.0.0.1:0", "--log-level=debug", "--log-format=json")
    with log.open("wb") as file:
        server = subprocess.Popen(
            [INTERCOM_SERVER, "--config", config, *flags], stderr=file, env=environment
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (found := re.search(r"listening on ([\d.:]+)", log.read_text())):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield found[1]
    finally:
        server.terminate()
        server.wait(START_SECONDS)
