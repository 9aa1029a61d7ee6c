"""The sink for NATS beside a bare loop that publishes the same messages in such commits.

Starts the server and has bazel-bin/tests/benchmarks/sinks/nats_rounds measure both in turns; it
says what its figures are, and takes the flags of Google Benchmark. tests/sinks, tests/soak and
tests/conformance have to be in PYTHONPATH.
"""

import os
import subprocess
import sys
from pathlib import Path

from nats import Nats
from server_process import running

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "bazel-bin/tests/benchmarks/sinks/nats_rounds"


def main() -> int:
    with running(Nats) as nats:
        environment = {**os.environ, **nats.benchmark_variables()}
        return subprocess.run([PROGRAM, *sys.argv[1:]], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
