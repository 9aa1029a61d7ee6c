"""Counts the test cases of one `bazel test`.

usage: count_cases.py EVENTS STATUS

EVENTS is what --build_event_json_file wrote, STATUS Bazel's exit code. Prints a line per
failed case or target, then `N passed, N failed`. A target that did not build, or a test
program that failed without saying which case, counts as one failure.
"""

import collections
import json
import sys
import urllib.parse
import xml.etree.ElementTree


def cases(uri):
    """Yields (name, passed) of each case that ran, from the XML file at `uri`."""
    path = urllib.parse.unquote(urllib.parse.urlparse(uri).path)
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return  # A program that crashed leaves none, or half of one.
    for case in root.iter("testcase"):
        if case.get("status") == "notrun" or case.find("skipped") is not None:
            continue
        failed = case.find("failure") is not None or case.find("error") is not None
        yield f"{case.get('classname', '')}.{case.get('name')}", not failed


def count(events):
    """Returns the number of passed cases and the names of what failed."""
    passed = 0
    failed = []
    unbuilt = {}  # An ordered set of labels.
    outcomes = {}
    files = collections.defaultdict(dict)
    for event in events:
        kind, key = next(iter(event["id"].items()))
        if kind == "testResult":
            outputs = event.get("testResult", {}).get("testActionOutput", [])
            for output in outputs:
                if output["name"] == "test.xml":
                    # Of several attempts the last one counts.
                    files[key["label"]][key.get("run"), key.get("shard")] = output["uri"]
        elif kind == "testSummary":
            outcomes[key["label"]] = event.get("testSummary", {}).get("overallStatus")
        elif kind == "targetCompleted" and not event.get("completed", {}).get("success"):
            unbuilt[key["label"]] = None
        elif kind in ("pattern", "configuredLabel", "targetConfigured") and "aborted" in event:
            unbuilt[key.get("label") or " ".join(key.get("pattern", []))] = None

    for label, outcome in outcomes.items():
        if label in unbuilt:
            continue
        ran = [case for uri in files[label].values() for case in cases(uri)]
        bad = [name for name, good in ran if not good]
        passed += len(ran) - len(bad)
        if outcome == "PASSED":
            passed += not ran
        else:
            failed += [f"{label} {name}" for name in bad] or [f"{label} ({outcome})"]
    return passed, [f"{label} (not built)" for label in unbuilt] + failed


def main():
    events_file, status = sys.argv[1:]
    try:
        with open(events_file, encoding="utf-8") as lines:
            passed, failed = count(json.loads(line) for line in lines)
    except OSError:
        passed, failed = 0, []
    # Bazel says 4 where it found no test to run.
    if status not in ("0", "4") and not failed:
        failed = [f"bazel test (exit code {status})"]
    for name in failed:
        print("FAILED", name)
    print(f"{passed} passed, {len(failed)} failed")


if __name__ == "__main__":
    main()
