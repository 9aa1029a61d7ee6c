"""Each sink beside a bare loop that writes the same bytes in transactions of the same size.

Starts the database and has bazel-bin/tests/benchmarks/sinks/*_rounds measure both in turns; they
say what their figures are, and take the flags of Google Benchmark. tests/sinks, tests/soak and
tests/conformance have to be in PYTHONPATH.
"""

import os
import subprocess
import sys
from pathlib import Path

from postgres import ADMIN, ADMIN_PASSWORD, running_postgres

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "bazel-bin/tests/benchmarks/sinks/postgres_rounds"


def main() -> int:
    with running_postgres() as postgres:
        variables = {"SINK_BENCHMARK_URL": postgres.url(user=ADMIN), "PGPASSWORD": ADMIN_PASSWORD}
        return subprocess.run([PROGRAM, *sys.argv[1:]], env={**os.environ, **variables}).returncode


if __name__ == "__main__":
    sys.exit(main())
