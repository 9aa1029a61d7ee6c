"""What a process holds, second by second."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One look at the process."""

    seconds: float
    rss_mib: float
    # The most RSS that it ever had; nothing between two looks escapes.
    peak_mib: float
    descriptors: int
    threads: int
    rows: int
    phase: str


class Meter:
    """Looks at a process at regular intervals, in an event loop, until it is cancelled."""

    def __init__(self, pid: int, interval_seconds: float = 1.0) -> None:
        self.samples: list[Sample] = []
        # Said by who reads the stream.
        self.rows = 0
        self.phase = ""
        self._proc = Path(f"/proc/{pid}")
        self._interval = interval_seconds
        self._start = time.monotonic()

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(self._interval)

    def look(self) -> None:
        """Adds one sample now."""
        status = dict(
            line.split(":", 1) for line in (self._proc / "status").read_text().splitlines()
        )
        self.samples.append(
            Sample(
                seconds=round(time.monotonic() - self._start, 2),
                rss_mib=_mib(status["VmRSS"]),
                peak_mib=_mib(status["VmHWM"]),
                descriptors=len(os.listdir(self._proc / "fd")),
                threads=int(status["Threads"]),
                rows=self.rows,
                phase=self.phase,
            )
        )


def _mib(kib: str) -> float:
    return round(int(kib.split()[0]) / 1024, 1)
