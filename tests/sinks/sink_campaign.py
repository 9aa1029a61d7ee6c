"""What ./run soak sinks does: extractions into PostgreSQL that are killed in mid-transaction.

Each extraction goes into a schema of its own. Now its writer, now the whole database is killed,
always while the writer's transaction is open, and at the end every row must be there once.
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
from dataclasses import dataclass, field
from pathlib import Path

from expected import differences
from postgres import Postgres, running_postgres
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


def position(postgres: Postgres, schema: str) -> str:
    """What tells a commit from the one before."""
    state = postgres.query(
        f"SELECT epoch, md5(position) AS at, updated_at FROM {schema}._intercom_state"
    )
    return json.dumps(state)


def open_transaction(postgres: Postgres, schema: str) -> dict[str, str | None] | None:
    """The writer's transaction that has written something and waits for more; none: nothing."""
    if not postgres.query(f"SELECT to_regclass('{schema}._intercom_state')::text AS made")[0][
        "made"
    ]:
        return None
    found = postgres.query(
        "SELECT a.pid, a.backend_xid, a.state_change, (SELECT string_agg(c.relname, ' ' ORDER BY"
        " c.relname) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = a.pid AND"
        f" l.mode = 'RowExclusiveLock' AND c.relnamespace = '{schema}'::regnamespace AND"
        " c.relkind = 'r') AS written"
        f" FROM pg_stat_activity a JOIN {schema}._intercom_state s ON s.backend_pid = a.pid AND"
        " s.backend_start = a.backend_start WHERE a.backend_xid IS NOT NULL AND a.wait_event ="
        " 'ClientRead' AND a.state <> 'idle'"
    )
    return found[0] if found else None


def freeze_in_transaction(
    client: subprocess.Popen[bytes], postgres: Postgres, schema: str, chance: random.Random
) -> dict[str, str | None] | None:
    """Stops the writer where its transaction is open; none: it ended before."""
    while client.poll() is None:
        time.sleep(chance.uniform(0.0, 0.05))
        client.send_signal(signal.SIGSTOP)
        found = open_transaction(postgres, schema)
        # Not the one that makes the tables, which has no rows; and twice the same: nothing that
        # was sent before is still on its way.
        rows = found is not None and found["written"] != "_intercom_tables"
        if rows and found == open_transaction(postgres, schema):
            return found
        client.send_signal(signal.SIGCONT)
    return None


def end_sessions(postgres: Postgres) -> None:
    """Waits until the sessions of killed writers are gone."""
    while postgres.query(
        "SELECT 1 AS one FROM pg_stat_activity WHERE application_name = 'intercom-extract'"
    ):
        time.sleep(0.02)


def kill_midway(
    client: subprocess.Popen[bytes],
    postgres: Postgres,
    schema: str,
    chance: random.Random,
    played: Played,
) -> None:
    """Kills the writer, or the database, in mid-transaction, unless the run ends before."""
    time.sleep(chance.uniform(0.0, 1.0))
    found = freeze_in_transaction(client, postgres, schema, chance)
    if found is None:
        return
    before = position(postgres, schema)
    kind = chance.choice((WRITER, DATABASE))
    played.kills[kind] += 1
    played.open_writes.append(found["written"] or "nothing yet")
    if kind == WRITER:
        client.kill()
        client.wait()
        end_sessions(postgres)
    else:
        postgres.kill()
        postgres.start()
    if position(postgres, schema) != before:
        played.problems.append(f"a killed transaction was committed: {found}")
    if kind == DATABASE:
        client.send_signal(signal.SIGCONT)


def play(
    postgres: Postgres, fake: Fake, expected: Path, log: Path, seed: str, kills: int = KILLS_PER_RUN
) -> Played:
    """One extraction with so many kills, unless it ends before; and what is wrong at its end."""
    played = Played(seed)
    chance = random.Random(seed)
    schema = "killed_" + "".join(c if c.isalnum() else "_" for c in seed)
    code: int | None = None
    for _ in range(MOST_STARTS):
        client = start_into(fake.base_url, postgres.url(schema), log)
        try:
            while played.kills.total() < kills and client.poll() is None:
                kill_midway(client, postgres, schema, chance, played)
            code = client.wait(timeout=120)
        finally:
            client.kill()
            client.wait()
        if code == COMPLETE:
            played.problems += differences(postgres, schema, expected)
            postgres.run(f"DROP SCHEMA {schema} CASCADE")
            return played
        if code not in (-signal.SIGKILL, OUTPUT):
            break
    played.problems.append(f"ended with {code}: {log.read_text()[-2000:]}")
    return played


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run soak sinks", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many; default %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default %(default)s")
    flags = parser.parse_args()
    kills: Counter[str] = Counter()
    runs = failures = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as made, running_postgres() as postgres:
        folder = Path(made)
        expected = write_expected(folder / "expected", *WORKSPACE)
        while kills.total() < flags.kills:
            with running_fake(folder / "fake.log", *WORKSPACE) as fake:
                left = min(KILLS_PER_RUN, flags.kills - kills.total())
                log = folder / f"client{runs}.log"
                played = play(postgres, fake, expected, log, f"{flags.seed}.{runs}", left)
            runs += 1
            kills += played.kills
            print(played, flush=True)
            if played.problems:
                failures += 1
                print("\n".join(played.problems), flush=True)
    figures = {
        "seed": flags.seed,
        "runs": runs,
        "kills": dict(kills),
        "failures": failures,
        "seconds": round(time.monotonic() - start, 1),
    }
    file = ROOT / ".build/sinks/campaign.json"
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(
        f"seed {flags.seed}: {runs} runs, {kills.total()} kills in mid-transaction "
        f"({kills[WRITER]} of the writer, {kills[DATABASE]} of the database), {failures} failures, "
        f"{figures['seconds']} s; figures: {file.relative_to(ROOT)}"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
