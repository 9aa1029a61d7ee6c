"""What ./run soak fleet does: many workspaces on a fleet whose workers are killed, ended and
frozen while they work.

First every workspace is extracted in peace, which shows how even the workers' shares are; then
again from the beginning, with disturbances. At the end every row must be there once, no quota
exceeded, and no two workers may have been at a workspace at a time.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import fleet as fleets
from fleet import Fleet, Worker, running_workspaces, working
from kafka_topics import running_topics

from programs import ROOT

SIZES = ("--users=40", "--leads=10", "--companies=15", "--conversations=10", "--latency-ms=20")
QUOTA, WINDOW_SECONDS = 83, 2
MOST_SECONDS = 3600.0


def _share(fleet: Fleet, workers: list[Worker]) -> dict[str, int]:
    asked = fleet.workspaces.asked()
    shares = fleets.jobs_by_worker(asked)
    return {worker.name: shares[worker.name] for worker in workers}


def _campaign(count: int, names: list[str], disturbances: int, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    report: dict[str, object] = {"workspaces": count, "workers": len(names), "seed": seed}
    flags = (*SIZES, f"--quota={QUOTA}/{WINDOW_SECONDS}s", f"--seed={seed}")
    with (
        running_topics() as kafka,
        tempfile.TemporaryDirectory(prefix="fleet-") as folder,
        running_workspaces(Path(folder), count, *flags) as workspaces,
    ):
        fleet = Fleet(kafka, workspaces, Path(folder))
        fleet.submit("--template=all")
        with working(fleet, names) as workers:
            begun = time.monotonic()
            fleet.wait_until_done(MOST_SECONDS, workers)
            report["seconds in peace"] = round(time.monotonic() - begun, 1)
            shares = _share(fleet, workers)
            report["workspaces by worker"] = shares
            report["busiest by mean"] = round(max(shares.values()) * len(names) / count, 2)
            first = fleet.problems()
            peace = len(workspaces.asked())

            fleet.submit("--template=all")
            begun = time.monotonic()
            told = fleets.disturb(fleet, workers, chance, disturbances)
            jobs = fleet.wait_until_done(MOST_SECONDS, workers)
            report["seconds disturbed"] = round(time.monotonic() - begun, 1)
        asked = workspaces.asked()
        report["requests"] = {"in peace": peace, "disturbed": len(asked) - peace}
        report["disturbances"] = dict(told)
        report["jobs"] = dict(Counter(job["state"] for job in jobs))
        report["problems"] = {
            "rows in peace": first,
            "rows disturbed": fleet.problems(),
            "two workers at a time": fleets.at_the_same_time(asked, grace=1),
            "beyond quota": fleets.beyond_quota(asked, QUOTA, WINDOW_SECONDS),
            "jobs": [job for job in jobs if job["state"] != "complete"],
        }
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run soak fleet", description=__doc__)
    parser.add_argument("--workspaces", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--disturbances", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    names = [f"worker{number}" for number in range(1, options.workers + 1)]
    report = _campaign(options.workspaces, names, options.disturbances, options.seed)
    path = ROOT / ".build/sinks/campaign-fleet.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
    problems = report["problems"]
    assert isinstance(problems, dict)
    return 1 if any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
