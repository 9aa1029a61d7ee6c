"""Extracts a made-up workspace from a fake Intercom and compares every row.

The fake writes what a correct extraction gives; intercom-extract then reads the fake
over HTTP as it would read Intercom. Exit code 0 only when all tables are equal.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = pathlib.Path("demo-output")
EXPECTED = OUTPUT / "expected"
EXTRACTED = OUTPUT / "tables"
EXTRACT_LOG = OUTPUT / "extract.log"
FAKE_LOG = OUTPUT / "fake-intercom.log"

WORKSPACE = {"users": 1500, "leads": 500, "companies": 300, "conversations": 400}
QUOTA = "1666/10s"
ACCESS_TOKEN = "fake-access-token"  # The fake's default; opens nothing else.
TABLE_COUNT = 22

# A record ends at a line feed outside quotes; "" inside quotes is two pieces.
RECORD = re.compile(rb'(?:[^"\n]+|"[^"]*")*\n|(?:[^"\n]+|"[^"]*")+\Z')


class DemoError(Exception):
    """Ends the demo with a message for people."""


@contextlib.contextmanager
def phase(name):
    """Says what is going on now and, at its end, how long it took."""
    if sys.stdout.isatty():
        print(f"  {name:<34} ...", end="\r", flush=True)
    start = time.monotonic()
    yield
    print(f"  {name:<34} {time.monotonic() - start:6.1f} s", flush=True)


def end_of(path):
    """The last lines of a log, to show why something failed."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-30:])


def build():
    # What Bazel says, such as an error or its progress on a terminal, stays visible.
    result = subprocess.run(["tools/run/build.sh"], stdout=subprocess.DEVNULL, check=False)
    if result.returncode:
        raise DemoError("the build failed")


@contextlib.contextmanager
def fake_intercom(program):
    """Runs the fake and yields its base URL."""
    command = [program, "--port", "0"]
    for name, count in WORKSPACE.items():
        command += [f"--{name}", str(count)]
    command += ["--quota", QUOTA, "--expect", EXPECTED]
    with FAKE_LOG.open("wb") as log:
        fake = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        first_line = fake.stdout.readline()
        match = re.fullmatch(r"listening on (http://\S+)\n", first_line)
        if not match:
            raise DemoError(f"the fake Intercom did not start: {first_line}{end_of(FAKE_LOG)}")
        yield match[1]
    finally:
        fake.terminate()
        try:
            fake.wait(timeout=5)
        except subprocess.TimeoutExpired:
            fake.kill()
            fake.wait()


def extract(program, base_url):
    """Runs the extraction; returns its summary."""
    command = [
        program,
        *["extract", "--embedded", "--base-url", base_url, "--template", "all"],
        *["--output", EXTRACTED, "--json"],
    ]
    environment = dict(os.environ, INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN)
    # A person sees the progress bar; a log would only get noise.
    with contextlib.ExitStack() as stack:
        stderr = None
        if not sys.stderr.isatty():
            stderr = stack.enter_context(EXTRACT_LOG.open("wb"))
        result = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=stderr, check=False
        )
    if result.returncode:
        why = end_of(EXTRACT_LOG) if stderr else ""
        raise DemoError(f"intercom-extract ended with exit code {result.returncode}\n{why}")
    return json.loads(result.stdout)


def records(path):
    """Counts each raw record of a CSV file: empty and "" stay different."""
    content = path.read_bytes()
    found = collections.Counter(RECORD.findall(content))
    if len(content) != sum(map(len, found.elements())):
        found[b"text with a quote that does not close"] += 1
    return found


def compare(name):
    """Returns how the extracted table differs from the expected one; "" when it does not."""
    extracted = EXTRACTED / f"{name}.csv"
    if not extracted.exists():
        return "the file is missing"
    actual, expected = records(extracted), records(EXPECTED / f"{name}.csv")
    differences = []
    for what, some in (("missing", expected - actual), ("unexpected", actual - expected)):
        if some:
            first = next(iter(some)).decode(errors="replace").rstrip("\n")
            differences.append(f"{some.total():,} {what}, such as {first[:200]}")
    return "\n".join(differences)


def print_tables(summary, differences):
    row = "{:<26} {:>9} {:>12} {:>9}  {}".format
    print()
    print(row("table", "rows", "bytes", "requests", "result"))
    for table in summary["tables"]:
        name = table["table"]
        result = "FAIL" if differences.get(name, "not expected") else "PASS"
        numbers = (f"{table[key]:,}" for key in ("rows", "bytes", "requests"))
        print(row(name, *numbers, result))
    # One request may feed several tables, so this is less than the column's sum.
    sent = f"{summary['requests']['sent']:,}"
    print(row("total", f"{summary['rows']:,}", f"{summary['bytes']:,}", sent, "").rstrip())
    for name, difference in differences.items():
        if difference:
            print(f"\n{name}:\n{difference}")


def demo(installed):
    """With the programs in a directory, or with those of the checkout, which it builds."""
    start = time.monotonic()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    made_up = ", ".join(f"{count:,} {name}" for name, count in WORKSPACE.items())
    print(f"A made-up workspace: {made_up}; quota {QUOTA}")
    if installed:
        fake, extractor = installed / "fake-intercom", installed / "intercom-extract"
    else:
        fake = ROOT / "bazel-bin/tests/fake_intercom/fake-intercom"
        extractor = ROOT / "bazel-bin/clients/cli/intercom-extract"
        with phase("build"):
            build()
    with contextlib.ExitStack() as stack:
        with phase("start the fake Intercom"):
            base_url = stack.enter_context(fake_intercom(fake))
        with phase("extract all tables"):
            summary = extract(extractor, base_url)
    with phase("compare with the expected rows"):
        names = sorted(path.stem for path in EXPECTED.glob("*.csv"))
        differences = {name: compare(name) for name in names}
    print_tables(summary, differences)

    equal = sum(not difference for difference in differences.values())
    told = {table["table"] for table in summary["tables"]}
    passed = equal == len(names) == TABLE_COUNT and told == set(names)
    seconds = time.monotonic() - start
    verdict = "PASS" if passed else "FAIL"
    print(f"\n{verdict}: {equal} of {TABLE_COUNT} tables are as expected, in {seconds:.1f} s")
    print(f"The files are in {EXTRACTED}/, the expected ones in {EXPECTED}/")
    return 0 if passed else 1


def main():
    # So that `kill` ends the fake too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--programs",
        type=pathlib.Path,
        metavar="DIR",
        help="where intercom-extract and fake-intercom are installed; files go into the "
        "working directory then",
    )
    installed = parser.parse_args().programs
    if not installed:
        os.chdir(ROOT)
    try:
        return demo(installed)
    except DemoError as error:
        print(f"\nFAIL: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
