"""intercom-extract fleet: workers that share workspaces over a real broker, and are killed."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import fleet as fleets
import pytest
from fleet import SESSION_SECONDS, Fleet, Worker, running_workspaces, working
from kafka_topics import TopicsKafka, running_topics

COMPLETE, USAGE, PARTIAL, OUTPUT = 0, 2, 4, 6
SMALL = (
    "--users=40",
    "--leads=10",
    "--companies=15",
    "--conversations=10",
    # What a killed worker left open is free after this, not after Intercom's minute.
    "--scroll-ttl-ms=1500",
)
# With a quota, so that a workspace takes some seconds.
QUOTA, WINDOW_SECONDS = 83, 2
SLOW = (*SMALL, f"--quota={QUOTA}/{WINDOW_SECONDS}s", "--latency-ms=20")


@pytest.fixture(scope="module")
def kafka() -> Iterator[TopicsKafka]:
    with running_topics() as broker:
        yield broker


def test_workers_share_the_workspaces_and_each_row_is_there_once(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    with running_workspaces(tmp_path, 12, *SLOW) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "shared.")
        fleet.submit("--template=all")
        with working(fleet, ["a", "b", "c"]) as workers:
            jobs = fleet.wait_until_done(120, workers)
            assert {job["state"] for job in jobs} == {"complete"}, jobs
            assert [worker.kill(signal.SIGTERM) for worker in workers] == [COMPLETE] * 3
        assert fleet.problems() == []
        asked = workspaces.asked()
        assert len(fleets.jobs_by_worker(asked)) == 3
        assert fleets.at_the_same_time(asked, grace=60) == []
        assert fleets.beyond_quota(asked, QUOTA, WINDOW_SECONDS) == []


@pytest.mark.parametrize("seed", [1])
def test_killed_ended_and_frozen_workers_lose_and_double_nothing(
    kafka: TopicsKafka, tmp_path: Path, seed: int
) -> None:
    with running_workspaces(tmp_path, 24, *SLOW) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "killed.")
        fleet.submit("--template=all")
        with working(fleet, ["a", "b", "c", "d"], "--jobs=3") as workers:
            told = fleets.disturb(fleet, workers, random.Random(seed), 12, "--jobs=3")
            fleet.wait_until_done(240, workers)
        assert fleet.problems() == [], f"seed {seed}: {told}"
        asked = workspaces.asked()
        assert fleets.at_the_same_time(asked, grace=1) == [], f"seed {seed}: {told}"
        assert fleets.beyond_quota(asked, QUOTA, WINDOW_SECONDS) == [], f"seed {seed}: {told}"


def test_worker_that_wakes_after_its_session_sends_nothing_until_it_has_joined_anew(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    with running_workspaces(tmp_path, 4, *SLOW) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "frozen.")
        fleet.submit("--template=all")
        with working(fleet, ["frozen"]) as workers:
            workers[0].until(lambda: len(workspaces.asked()) >= 100)
            workers[0].process.send_signal(signal.SIGSTOP)
            asleep = len(workspaces.asked())
            workers.append(Worker(fleet, "other"))
            fleet.wait_until_done(120, workers)
            by_other = len(workspaces.asked())
            assert by_other > asleep + 20, "the other one had nothing to do"
            before = {name: streams.records for name, streams in fleet.streams().items()}
            workers[0].process.send_signal(signal.SIGCONT)
            workers[0].until(lambda: workers[0].said().count("has ") >= 3)
            assert "stood still for too long" in workers[0].said()
            assert [one for one in workspaces.asked()[by_other:] if one.worker == "frozen"] == []
            after = {name: streams.records for name, streams in fleet.streams().items()}
            assert after == before
        assert fleet.problems() == []


def test_worker_that_dies_is_replaced_and_its_job_goes_on(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    # Most of it comes after the first checkpoint, which is one of 5,000 rows: time enough to ask
    # for the job's state and to kill.
    flags = ("--users=6000", "--leads=100", "--companies=30", "--conversations=20")
    with running_workspaces(tmp_path, 1, *flags, "--latency-ms=60") as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "replaced.")
        fleet.submit("--template=all")
        with working(fleet, ["first"]) as workers:
            workers[0].until(lambda: fleet.jobs()[0]["checkpoint"] > 0)
            workers[0].kill()
            workers.append(Worker(fleet, "second"))
            fleet.wait_until_done(120, workers)
            assert "takes over from worker first" in workers[1].said()
            assert "goes on from checkpoint" in workers[1].said()
        assert fleet.problems() == []


def test_a_job_that_is_killed_before_its_first_commit_is_not_taken_for_the_run_before(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    with running_workspaces(tmp_path, 1, *SLOW) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "begun.")
        fleet.submit("--template=all")
        with working(fleet, ["a"]) as workers:
            first = fleet.wait_until_done(60, workers)[0]
            whole = len(workspaces.asked())
            fleet.submit("--template=all")
            workers[0].until(lambda: workers[0].said().count("job extract begins") == 2)
            workers[0].kill()
            assert fleet.jobs()[0]["state"] == "running", "it had committed rows already"
            before = len(workspaces.asked())
            workers[0] = Worker(fleet, "a")
            second = fleet.wait_until_done(60, workers)[0]
        assert second["started_at"] >= first["ended_at"]
        assert len(workspaces.asked()) - before >= whole
        assert fleet.problems() == []


def test_a_job_says_that_it_waits_for_the_scroll_that_a_dead_worker_left_open(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    changed = {"--scroll-ttl-ms": "15000", "--companies": "600"}
    flags = [flag for flag in SLOW if flag.split("=")[0] not in changed]
    flags += [f"{name}={value}" for name, value in changed.items()]
    with running_workspaces(tmp_path, 1, *flags) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "scroll.")
        fleet.submit("--template=all")
        with working(fleet, ["a"]) as workers:
            workers[0].until(
                lambda: any("/companies/scroll" in one.what for one in workspaces.asked())
            )
            workers[0].kill()
            workers[0] = Worker(fleet, "a")
            fleet.wait_until_done(60, workers)
            assert "job extract is waiting for another company scroll" in workers[0].said()
        assert fleet.problems() == []


def test_of_two_workers_with_one_name_the_older_one_ends_before_the_newer_one_asks(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    with running_workspaces(tmp_path, 2, *SLOW) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "named.")
        fleet.submit("--template=all")
        with working(fleet, ["same"]) as workers:
            workers[0].until(lambda: len(workspaces.asked()) >= 60)
            # It wakes within its lease, so that only the group can tell it.
            workers[0].process.send_signal(signal.SIGSTOP)
            wakes = time.monotonic() + SESSION_SECONDS * 0.3
            begun = workers[0].said().count("job extract")
            workers.append(Worker(fleet, "same"))
            while time.monotonic() < wakes and workers[1].said().count("job extract") == begun:
                time.sleep(0.02)
            workers[0].process.send_signal(signal.SIGCONT)
            assert workers[0].process.wait(timeout=60) == OUTPUT
            assert "another worker named same has joined" in workers[0].said()
            fleet.wait_until_done(60, workers)
        asked = workspaces.asked()
        assert len({one.process for one in asked}) == 2
        assert fleets.at_the_same_time(asked, grace=60) == []
        assert fleet.problems() == []


def test_a_worker_that_hangs_is_told_from_one_that_works_by_its_file(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    alive = tmp_path / "alive"

    def renewed() -> bool:
        return alive.stat().st_mtime > 0

    with running_workspaces(tmp_path, 1, *SMALL) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "alive.")
        fleet.submit("--template=all")
        with working(fleet, ["a"], f"--alive-file={alive}") as workers:
            workers[0].until(alive.exists)
            os.utime(alive, (0, 0))
            workers[0].until(renewed)
            workers[0].process.send_signal(signal.SIGSTOP)
            os.utime(alive, (0, 0))
            time.sleep(SESSION_SECONDS)
            assert not renewed()
            workers[0].process.send_signal(signal.SIGCONT)
            workers[0].until(renewed)
            fleet.wait_until_done(60, workers)
            assert workers[0].kill(signal.SIGTERM) == COMPLETE
        assert not alive.exists()


def test_a_job_runs_again_when_it_is_submitted_again_and_then_reads_what_changed(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    with running_workspaces(tmp_path, 1, *SMALL) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "again.")
        submit = ("--template=all", "--job=nightly", "--every=24h", "--incremental")
        fleet.submit(*submit)
        with working(fleet, ["a"]) as workers:
            first = fleet.wait_until_done(60, workers)[0]
            assert first["next_at"] is not None
            fleet.submit(*submit)
            second = fleet.wait_until_done(60, workers)[0]
        assert second["started_at"] >= first["ended_at"]
        assert (first["state"], second["state"]) == ("complete", "complete")
        assert second["rows"] < first["rows"]
        assert fleet.problems() == []


def test_a_removed_job_ends_and_is_forgotten(kafka: TopicsKafka, tmp_path: Path) -> None:
    with running_workspaces(tmp_path, 2, *SMALL, "--latency-ms=400") as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "removed.")
        fleet.submit("--template=all")
        with working(fleet, ["a"]) as workers:
            workers[0].until(lambda: workspaces.asked() != [])
            removed = fleet.call("remove", "--workspaces=w1")
            assert removed.returncode == COMPLETE, removed
            assert [job["workspace"] for job in fleet.jobs()] == ["w2"]
            time.sleep(2)
            asked = [one for one in workspaces.asked() if one.workspace == "w1"]
            time.sleep(2)
            assert [one for one in workspaces.asked() if one.workspace == "w1"] == asked
            assert workers[0].process.poll() is None
        again = fleet.call("remove", "--workspaces=w1")
        assert again.returncode == USAGE
        assert "workspace w1 has no job extract" in again.stderr


def test_what_a_job_needs_a_person_for_stands_in_its_status(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    with running_workspaces(tmp_path, 2, *SMALL) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "wrong.")
        fleet.submit("--tables=tags,cats", workspaces="w1")
        fleet.submit("--template=basic", workspaces="nowhere")
        workspaces.tokens["TOKEN_w2"] = "stale"
        fleet.submit("--template=basic", workspaces="w2")
        with working(fleet, ["a"]) as workers:
            messages = {job["workspace"]: job for job in fleet.wait_until_done(60, workers)}
        assert {job["state"] for job in messages.values()} == {"failed"}
        assert "no table cats" in messages["w1"]["message"]
        assert 'connection "nowhere" is not configured' in messages["nowhere"]["message"]
        assert "401" in messages["w2"]["message"]
        status = fleet.call("status")
        assert status.returncode == PARTIAL
        assert "3 failed" in status.stdout
        assert "stale" not in status.stdout + workers[0].said()


def test_without_a_fleet_status_says_how_to_make_one(kafka: TopicsKafka, tmp_path: Path) -> None:
    with running_workspaces(tmp_path, 1, *SMALL) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "none.")
        for action in ("status", "remove"):
            done = fleet.call(action, *(["--workspaces=w1"] * (action == "remove")))
            assert done.returncode == OUTPUT
            assert "there is no fleet" in done.stderr
            assert "submit a job first" in done.stderr
