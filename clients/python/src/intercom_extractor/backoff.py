"""How long to wait before a lost connection is made again."""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

MOST_TRIES = 5
FIRST_SECONDS = 1.0


@dataclass(frozen=True)
class Timing:
    """Where time and chance come from; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    # In [0, 1).
    random: Callable[[], float] = random.random
    # Until the event is set, or so many seconds.
    wait: Callable[[threading.Event, float], object] = threading.Event.wait
    # The same for AsyncClient, which cancels it instead.
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


class Backoff:
    """1, 2, 4, 8 and 16 s, less up to half of it, so that many clients of a server that comes
    back do not come at once."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._tries = 0

    def next(self) -> float | None:
        """Seconds before the next try; None once all have failed in a row."""
        if self._tries == MOST_TRIES:
            return None
        full: float = FIRST_SECONDS * 2**self._tries
        self._tries += 1
        return full * (1 - self._random() / 2)

    def on_progress(self) -> None:
        self._tries = 0
