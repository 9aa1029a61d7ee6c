"""The sink for Kafka beside a bare loop that sends the same records in the same transactions.

Starts the broker and has bazel-bin/tests/benchmarks/sinks/kafka_rounds measure both in turns; it
says what its figures are, and takes the flags of Google Benchmark. tests/sinks and tests/soak
have to be in PYTHONPATH.
"""

import os
import subprocess
import sys
from pathlib import Path

from kafka_broker import running_kafka

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "bazel-bin/tests/benchmarks/sinks/kafka_rounds"


def main() -> int:
    with running_kafka() as kafka:
        environment = {**os.environ, "SINK_BENCHMARK_URL": f"kafka://{kafka.address}"}
        return subprocess.run([PROGRAM, *sys.argv[1:]], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
