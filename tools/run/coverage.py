"""Prints what llvm-cov's summary says of lines and branches.

usage: coverage.py SUMMARY

A line for each folder, for each of the product's parts and for all, then one for each file in
which a line or a branch is not reached, the emptiest first.
"""

import collections
import json
import os
import sys

# What clang calls the folder that it ran in.
BUILD_FOLDER = "/proc/self/cwd/"
KINDS = ("lines", "branches")
TOTAL = "in all"
ROW = "{:<52} {:>7} {:>7} {:>8} {:>8}"


def share(covered, count):
    return f"{100 * covered / count:.1f} %" if count else "-"


def row(name, lines, branches):
    return ROW.format(
        name,
        lines["count"],
        share(lines["covered"], lines["count"]),
        branches["count"],
        share(branches["covered"], branches["count"]),
    )


def main(path):
    with open(path, encoding="utf-8") as file:
        files = json.load(file)["data"][0]["files"]
    folders = collections.defaultdict(lambda: {kind: collections.Counter() for kind in KINDS})
    for entry in files:
        entry["name"] = entry["filename"].removeprefix(BUILD_FOLDER)
        folder = os.path.dirname(entry["name"])
        for key in (folder, folder.partition("/")[0] + " in all", TOTAL):
            for kind in KINDS:
                summary = entry["summary"][kind]
                folders[key][kind].update({k: summary[k] for k in ("count", "covered")})
    print(ROW.format("folder", "lines", "", "branches", ""))
    for name in sorted(folders, key=lambda name: (name == TOTAL, name)):
        print(row(name, folders[name]["lines"], folders[name]["branches"]))
    print()
    missing = [
        entry
        for entry in files
        if any(entry["summary"][kind]["covered"] < entry["summary"][kind]["count"] for kind in KINDS)
    ]
    print(ROW.format("file", "lines", "", "branches", ""))
    for entry in sorted(missing, key=lambda one: one["summary"]["lines"]["percent"]):
        print(row(entry["name"], entry["summary"]["lines"], entry["summary"]["branches"]))


if __name__ == "__main__":
    main(sys.argv[1])
