"""What a bad network does to a connection, under the names of Toxiproxy."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

# latency: `seconds`, give or take `jitter`, on top. bandwidth: `bytes` a second. slicer:
# pieces of `bytes`, `seconds` apart. timeout: nothing passes, and after `seconds` it closes.
# limit_data: it closes after `bytes`. reset_peer: it is reset after `seconds`. slow_close: it
# closes `seconds` late.
TOXICS = (
    "latency",
    "bandwidth",
    "slicer",
    "timeout",
    "limit_data",
    "reset_peer",
    "slow_close",
)


class Severed(Exception):
    """The connection ends here."""


@dataclass(frozen=True)
class Toxic:
    kind: str
    # up: on the way to the target; down: on the way back.
    direction: str = "both"
    # Only so many connections, the first; 0: all.
    connections: int = 0
    seconds: float = 0
    jitter: float = 0
    bytes: int = 0

    def hits(self, connection: int, direction: str) -> bool:
        """`connection` counts from 1."""
        return self.direction in (direction, "both") and (
            not self.connections or connection <= self.connections
        )


class Way:
    """One direction of one connection, and what is wrong with it."""

    def __init__(self, toxics: tuple[Toxic, ...], chance: random.Random) -> None:
        self._toxics = toxics
        self._chance = chance
        self._passed = 0

    @property
    def reset_after(self) -> float | None:
        """When the connection is reset, whatever passes."""
        return min((t.seconds for t in self._toxics if t.kind == "reset_peer"), default=None)

    async def pieces(self, chunk: bytes) -> AsyncIterator[bytes]:
        """What of `chunk` passes on, each piece when it does; raises Severed at the end."""
        for toxic in self._toxics:
            if toxic.kind == "timeout":
                await asyncio.sleep(toxic.seconds)
                raise Severed
            if toxic.kind == "latency":
                spread = self._chance.uniform(-toxic.jitter, toxic.jitter)
                await asyncio.sleep(max(0.0, toxic.seconds + spread))
        room = min(
            (t.bytes - self._passed for t in self._toxics if t.kind == "limit_data"),
            default=len(chunk),
        )
        rest = chunk[: max(0, room)]
        self._passed += len(rest)
        slicer = next((t for t in self._toxics if t.kind == "slicer"), None)
        rate = min((t.bytes for t in self._toxics if t.kind == "bandwidth"), default=0)
        size = slicer.bytes if slicer else max(1, rate // 20) if rate else len(rest)
        while rest:
            piece, rest = rest[:size], rest[size:]
            if rate:
                await asyncio.sleep(len(piece) / rate)
            yield piece
            if slicer and rest:
                await asyncio.sleep(slicer.seconds)
        if room < len(chunk):
            raise Severed

    async def close(self) -> None:
        """Returns when the end may be passed on."""
        await asyncio.sleep(
            max((t.seconds for t in self._toxics if t.kind == "slow_close"), default=0)
        )
