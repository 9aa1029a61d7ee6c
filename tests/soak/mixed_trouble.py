"""What goes wrong around the servers of the mixed load, made from its seed."""

import asyncio
import contextlib
import math
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path

from mixed_plan import RESTARTED, STEADY, connection_name
from proxy import Proxy
from scenario import WORKSPACES, workspace_flags
from stage import LISTENING

from process import PORTS, Process
from programs import FAKE_INTERCOM, Fake, clean_environment

# Seconds between what disturbs, on average.
KILL_SERVER_SECONDS, KILL_FAKE_SECONDS, CUT_SECONDS, FAULT_SECONDS = 20.0, 20.0, 8.0, 12.0
# How long a program is down. Well below what the server spends on trying again.
DOWN_SECONDS = (0.05, 1.0)
# What a fake does for a while beside its own faults; each request that is tried again succeeds.
FAULTS = (
    "status:502:40",
    "status:503:60",
    "reset:60",
    "truncate:80",
    "malformed_json:90",
    "html_200:70",
    "slow:500:15",
)


class Fakes:
    """A program per kind of workspace, which serves one of them to each server."""

    def __init__(self, folder: Path, workspaces: Sequence[str]) -> None:
        self.ports = {workspace: _two_ports() for workspace in workspaces}
        self.processes = {
            workspace: Process(
                [
                    *(FAKE_INTERCOM, *workspace_flags(workspace), "--workspaces=2"),
                    *("--threads=1", "--record-cache-mib=64", f"--port={self.ports[workspace]}"),
                ],
                folder / f"fake-{connection_name(workspace)}.log",
                clean_environment(),
            )
            for workspace in workspaces
        }

    def url(self, workspace: str, server: int) -> str:
        return f"http://127.0.0.1:{self.ports[workspace] + server - 1}"

    def set_faults(self, workspace: str, faults: str) -> None:
        """Replaces those that it has; one that is down has no say."""
        for server in (STEADY, RESTARTED):
            with contextlib.suppress(OSError):
                Fake(self.url(workspace, server), ()).request("POST", "/__faults", faults.encode())


class Trouble:
    """Lives in one event loop. `done` counts what was done, by its name for people."""

    def __init__(
        self,
        seed: int,
        workspaces: Sequence[str],
        fakes: Fakes,
        server: Process,
        proxies: Mapping[int, Proxy],
    ) -> None:
        """`server`: the one that is killed."""
        self.done: Counter[str] = Counter()
        self._seed = seed
        self._workspaces = workspaces
        self._fakes = fakes
        self._server = server
        self._proxies = proxies
        # Connections whose Intercom was down, from when to when in Unix seconds.
        self._down: list[tuple[str, float, float]] = []

    def everything(self) -> list[Coroutine[None, None, None]]:
        """Each goes on until it is cancelled."""
        chance = random.Random(f"disturbances {self._seed}")
        return [
            self._kill_fakes(random.Random(chance.random())),
            self._kill_server(random.Random(chance.random())),
            self._cut_connections(random.Random(chance.random())),
            self._add_faults(random.Random(chance.random())),
        ]

    async def _kill_fakes(self, chance: random.Random) -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / KILL_FAKE_SECONDS))
            workspace = chance.choice(self._workspaces)
            start = time.time()
            # Until it is back, whenever that is.
            self._down.append((connection_name(workspace), start, math.inf))
            await _restart(self._fakes.processes[workspace], signal.SIGKILL, chance)
            self._down[-1] = (connection_name(workspace), start, time.time())
            self.done["SIGKILL fake Intercom"] += 1

    def was_down(self, connection: str, start: float, end: float) -> bool:
        """Whether its Intercom was away at any time between these.

        A call that begins then may end with UNAVAILABLE: an extraction that has nothing to lose
        gives up soon.
        """
        return any(
            name == connection and began <= end and start <= ended
            for name, began, ended in self._down
        )

    async def _kill_server(self, chance: random.Random) -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / KILL_SERVER_SECONDS))
            number = chance.choice((signal.SIGKILL, signal.SIGTERM))
            await _restart(self._server, number, chance)
            self.done[f"{number.name} server"] += 1

    async def _cut_connections(self, chance: random.Random) -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / CUT_SECONDS))
            proxy = self._proxies[chance.choice((STEADY, RESTARTED))]
            if chance.random() < 0.5:
                proxy.cut()
                self.done["cut connections of clients"] += 1
            else:
                proxy.stall()
                await asyncio.sleep(chance.uniform(*DOWN_SECONDS))
                proxy.flow()
                self.done["stall connections of clients"] += 1

    async def _add_faults(self, chance: random.Random) -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / FAULT_SECONDS))
            workspace = chance.choice(self._workspaces)
            own = next(
                (
                    flag.removeprefix("--faults=")
                    for flag in WORKSPACES[workspace]
                    if flag.startswith("--faults=")
                ),
                "",
            )
            faults = chance.choice(FAULTS)
            await asyncio.to_thread(self._fakes.set_faults, workspace, faults)
            await asyncio.sleep(chance.uniform(2, 10))
            await asyncio.to_thread(self._fakes.set_faults, workspace, own)
            self.done[f"faults {faults.rpartition(':')[0]}"] += 1


def _two_ports() -> int:
    """The first of two ports next to one another that are free."""
    for port in random.SystemRandom().sample(PORTS, 1000):
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", port))
            two.bind(("127.0.0.1", port + 1))
            return port
    raise RuntimeError(f"no two free ports from {PORTS.start} to {PORTS.stop}")


async def _restart(process: Process, number: signal.Signals, chance: random.Random) -> None:
    process.send(number)
    await process.wait()
    await asyncio.sleep(chance.uniform(*DOWN_SECONDS))
    await process.start(LISTENING)
