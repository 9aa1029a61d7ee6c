"""The benchmark of the sinks, briefly: it must not rot. Its figures mean nothing here."""

import os
import subprocess

from postgres import ADMIN, ADMIN_PASSWORD, running_postgres

from programs import program

ROUNDS = program("POSTGRES_ROUNDS", "tests/benchmarks/sinks/postgres_rounds")


def test_the_rounds_of_postgresql_write_every_row() -> None:
    with running_postgres() as postgres:
        variables = {"SINK_BENCHMARK_URL": postgres.url(user=ADMIN), "PGPASSWORD": ADMIN_PASSWORD}
        brief = {**os.environ, **variables, "BENCHMARK_BRIEF": "1"}
        done = subprocess.run([ROUNDS], env=brief, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "sinks/postgres/users/ours" in done.stdout
    assert "sinks/postgres/users/floor" in done.stdout
