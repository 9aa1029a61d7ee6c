"""The benchmarks of the sinks, briefly: they must not rot. Their figures mean nothing here."""

import os
import subprocess

from kafka_broker import running_kafka
from nats import Nats
from postgres import ADMIN, ADMIN_PASSWORD, running_postgres
from redis import Redis
from server_process import running

from programs import program

KAFKA_ROUNDS = program("KAFKA_ROUNDS", "tests/benchmarks/sinks/kafka_rounds")
NATS_ROUNDS = program("NATS_ROUNDS", "tests/benchmarks/sinks/nats_rounds")
REDIS_ROUNDS = program("REDIS_ROUNDS", "tests/benchmarks/sinks/redis_rounds")
ROUNDS = program("POSTGRES_ROUNDS", "tests/benchmarks/sinks/postgres_rounds")


def test_the_rounds_of_postgresql_write_every_row() -> None:
    with running_postgres() as postgres:
        variables = {"SINK_BENCHMARK_URL": postgres.url(user=ADMIN), "PGPASSWORD": ADMIN_PASSWORD}
        brief = {**os.environ, **variables, "BENCHMARK_BRIEF": "1"}
        done = subprocess.run([ROUNDS], env=brief, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "sinks/postgres/users/ours" in done.stdout
    assert "sinks/postgres/users/floor" in done.stdout


def test_the_rounds_of_kafka_write_what_a_bare_loop_writes() -> None:
    with running_kafka() as kafka:
        brief = {
            **os.environ,
            "SINK_BENCHMARK_URL": f"kafka://{kafka.address}",
            "BENCHMARK_BRIEF": "1",
        }
        done = subprocess.run([KAFKA_ROUNDS], env=brief, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "sinks/kafka/users/ours" in done.stdout
    assert "sinks/kafka/users/floor" in done.stdout


def test_the_rounds_of_redis_write_every_row() -> None:
    with running(Redis) as redis:
        brief = {**os.environ, **redis.benchmark_variables(), "BENCHMARK_BRIEF": "1"}
        done = subprocess.run([REDIS_ROUNDS], env=brief, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "sinks/redis/users/ours" in done.stdout
    assert "sinks/redis/users/floor" in done.stdout


def test_the_rounds_of_nats_write_every_row() -> None:
    with running(Nats) as nats:
        brief = {**os.environ, **nats.benchmark_variables(), "BENCHMARK_BRIEF": "1"}
        done = subprocess.run([NATS_ROUNDS], env=brief, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "sinks/nats/users/ours" in done.stdout
    assert "sinks/nats/users/floor" in done.stdout
