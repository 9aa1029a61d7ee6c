"""The sink for Redis beside a bare loop that sends the same entries in such transactions.

Starts the server and has bazel-bin/tests/benchmarks/sinks/redis_rounds measure both in turns; it
says what its figures are, and takes the flags of Google Benchmark. tests/sinks, tests/soak and
tests/conformance have to be in PYTHONPATH.
"""

import os
import subprocess
import sys
from pathlib import Path

from redis import Redis
from server_process import running

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "bazel-bin/tests/benchmarks/sinks/redis_rounds"


def main() -> int:
    with running(Redis) as redis:
        environment = {**os.environ, **redis.benchmark_variables()}
        return subprocess.run([PROGRAM, *sys.argv[1:]], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
