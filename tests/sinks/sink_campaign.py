"""What ./run soak sinks does: extractions into a database or queue that are killed in
mid-transaction; in NATS, which has none, between rows and the position that covers them.

Each extraction goes into a place of its own: a schema, a prefix of topics or keys, a stream. Now
its writer, now the whole server is killed, always while the writer's transaction is open, and at
the end every row must be there once.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kafka_topics import running_topics
from nats_streams import running_nats
from postgres import running_postgres
from redis_streams import running_redis
from writer import COMPLETE, OUTPUT, start_into

from programs import ROOT, Fake, running_fake, write_expected

# A checkpoint comes after 5,000 rows: enough for ten, few enough for many runs.
WORKSPACE = (
    "--users=2500",
    "--leads=600",
    "--companies=1500",
    "--conversations=600",
    "--latency-ms=40",
    "--scroll-ttl-ms=1500",
)
KILLS_PER_RUN = 5
WRITER, DATABASE = "writer", "database"
# Starts of a writer until a run must have come to its end.
MOST_STARTS = 40


class Server(Protocol):
    """What is killed, and asked how it is."""

    def url(self, place: str, /) -> str: ...

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def position(self, place: str, /) -> str:
        """What tells a commit from the one before."""

    def open_transaction(self, place: str, /) -> dict[str, str | None] | None:
        """The writer's transaction that has rows and waits for more; none: nothing."""

    def end_sessions(self) -> None:
        """Waits until the sessions of killed writers are gone."""

    def problems(self, place: str, expected: Path, /) -> list[str]:
        """How what readers see differs from the expected files, one line for each."""

    def drop(self, place: str, /) -> None: ...


KINDS: dict[str, Callable[[], AbstractContextManager[Server]]] = {
    "kafka": running_topics,
    "nats": running_nats,
    "postgres": running_postgres,
    "redis": running_redis,
}


@dataclass
class Played:
    """What one extraction went through."""

    seed: str
    kills: Counter[str] = field(default_factory=Counter)
    # Tables that a killed transaction had written to, as each kill found them.
    open_writes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kills.items()))
        return f"{self.seed}: killed {done}; open writes to {self.open_writes}"


def freeze_in_transaction(
    client: subprocess.Popen[bytes], server: Server, place: str, chance: random.Random
) -> dict[str, str | None] | None:
    """Stops the writer where its transaction is open; none: it ended before."""
    while client.poll() is None:
        time.sleep(chance.uniform(0.0, 0.01))
        client.send_signal(signal.SIGSTOP)
        found = server.open_transaction(place)
        # Twice the same: nothing that was sent before is still on its way.
        if found is not None and found == server.open_transaction(place):
            return found
        client.send_signal(signal.SIGCONT)
    return None


def kill_midway(
    client: subprocess.Popen[bytes],
    server: Server,
    place: str,
    chance: random.Random,
    played: Played,
) -> None:
    """Kills the writer, or the database, in mid-transaction, unless the run ends before."""
    time.sleep(chance.uniform(0.0, 0.5))
    found = freeze_in_transaction(client, server, place, chance)
    if found is None:
        return
    before = server.position(place)
    kind = chance.choice((WRITER, DATABASE))
    played.kills[kind] += 1
    played.open_writes.append(found["written"] or "nothing yet")
    if kind == WRITER:
        client.kill()
        client.wait()
        server.end_sessions()
    else:
        server.kill()
        server.start()
    if server.position(place) != before:
        played.problems.append(f"a killed transaction was committed: {found}")
    if kind == DATABASE:
        client.send_signal(signal.SIGCONT)


def play(
    server: Server, fake: Fake, expected: Path, log: Path, seed: str, kills: int = KILLS_PER_RUN
) -> Played:
    """One extraction with so many kills, unless it ends before; and what is wrong at its end."""
    played = Played(seed)
    chance = random.Random(seed)
    place = "killed_" + "".join(c if c.isalnum() else "_" for c in seed)
    code: int | None = None
    for _ in range(MOST_STARTS):
        client = start_into(fake.base_url, server.url(place), log)
        try:
            while played.kills.total() < kills and client.poll() is None:
                kill_midway(client, server, place, chance, played)
            code = client.wait(timeout=120)
        finally:
            client.kill()
            client.wait()
        if code == COMPLETE:
            played.problems += server.problems(place, expected)
            server.drop(place)
            return played
        if code not in (-signal.SIGKILL, OUTPUT):
            break
    played.problems.append(f"ended with {code}: {log.read_text()[-2000:]}")
    return played


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run soak sinks", description=__doc__)
    parser.add_argument("--sink", choices=KINDS, default="postgres", help="default %(default)s")
    parser.add_argument("--kills", type=int, default=200, help="how many; default %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default %(default)s")
    flags = parser.parse_args()
    kills: Counter[str] = Counter()
    runs = failures = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as made, KINDS[flags.sink]() as server:
        folder = Path(made)
        expected = write_expected(folder / "expected", *WORKSPACE)
        while kills.total() < flags.kills:
            with running_fake(folder / "fake.log", *WORKSPACE) as fake:
                left = min(KILLS_PER_RUN, flags.kills - kills.total())
                log = folder / f"client{runs}.log"
                played = play(server, fake, expected, log, f"{flags.seed}.{runs}", left)
            runs += 1
            kills += played.kills
            print(played, flush=True)
            if played.problems:
                failures += 1
                print("\n".join(played.problems), flush=True)
    figures = {
        "sink": flags.sink,
        "seed": flags.seed,
        "runs": runs,
        "kills": dict(kills),
        "failures": failures,
        "seconds": round(time.monotonic() - start, 1),
    }
    file = ROOT / f".build/sinks/campaign-{flags.sink}.json"
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(
        f"{flags.sink}, seed {flags.seed}: {runs} runs, {kills.total()} kills in mid-transaction "
        f"({kills[WRITER]} of the writer, {kills[DATABASE]} of the database), {failures} failures, "
        f"{figures['seconds']} s; figures: {file.relative_to(ROOT)}"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
