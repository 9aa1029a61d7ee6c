"""Extracts a made-up workspace into a Kafka broker of its own and compares every row.

Exit code 0 only when a reader of the topics has all tables as they should be, each row once.
tests/sinks/run.sh gives it its Python and the modules that the tests use.
"""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import demo
import kafka_broker
import kafka_topics
import record_streams

PREFIX = "intercom."


def extract(base_url, url):
    command = [
        demo.PROGRAMS / "clients/cli/intercom-extract",
        *["extract", "--embedded", "--base-url", base_url, "--template", "all"],
        *["--sink", url],
    ]
    environment = dict(os.environ, INTERCOM_ACCESS_TOKEN=demo.ACCESS_TOKEN)
    with demo.EXTRACT_LOG.open("wb") as log:
        result = subprocess.run(command, env=environment, stderr=log, check=False)
    if result.returncode:
        why = demo.end_of(demo.EXTRACT_LOG)
        raise demo.DemoError(f"intercom-extract ended with exit code {result.returncode}\n{why}")


def print_topics(topics):
    row = "{:<42} {:>9}".format
    print(f"\n{row('topic', 'records')}")
    for table, records in topics.records.items():
        print(row(PREFIX + table, f"{len(records):,}"))
    print(row(PREFIX + "_events", f"{len(topics.events):,}"))
    record = topics.records["users_tags"][0]
    print(f"\nA record of {PREFIX}users_tags:")
    print(f"  key      {record.key}")
    for name, value in record.headers.items():
        print(f"  header   {name}: {value}")
    print(f"  value    {record.value.decode()}")
    print(f"One of {PREFIX}_events:\n  value    {json.dumps(topics.events[0])}")


def show():
    start = time.monotonic()
    shutil.rmtree(demo.OUTPUT, ignore_errors=True)
    demo.OUTPUT.mkdir()
    with contextlib.ExitStack() as stack:
        with demo.phase("start the fake Intercom"):
            base_url = stack.enter_context(demo.fake_intercom())
        with demo.phase("start Kafka from Maven Central"):
            broker = stack.enter_context(kafka_broker.running_kafka())
        url = broker.url(PREFIX, format="json")
        print(f"  intercom-extract extract --template all --sink '{url}'")
        with demo.phase("extract all tables"):
            extract(base_url, url)
        with demo.phase("read all topics, read_committed"):
            topics = kafka_topics.Topics(broker.address, PREFIX)
    repeated = topics.repeated()
    differences = record_streams.differences(topics, demo.EXPECTED)
    print_topics(topics)
    for problem in [*repeated, *differences]:
        print(f"\n{problem}")
    passed = not repeated and not differences and len(topics.records) == demo.TABLE_COUNT
    seconds = time.monotonic() - start
    verdict = "PASS" if passed else "FAIL"
    equal = demo.TABLE_COUNT - len(differences)
    print(f"\n{verdict}: {equal} of {demo.TABLE_COUNT} tables are as expected, in {seconds:.1f} s")
    return 0 if passed else 1


def main():
    os.chdir(pathlib.Path(__file__).resolve().parents[2])
    try:
        return show()
    except demo.DemoError as error:
        print(f"\nFAIL: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
