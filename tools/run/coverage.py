"""Prints which lines and branches were reached.

usage: coverage.py TRACE...

The traces are llvm-cov's of each program and library, in lcov's format. They are put together
here: to llvm-cov a function of a header is not reached when the first library does not call it.
A line for each folder, for each of the product's parts and for all, then one for each file in
which a line or a branch is not reached, the emptiest first.
"""

import collections
import os
import sys

# What clang calls the folder that it ran in.
BUILD_FOLDER = "/proc/self/cwd/"
KINDS = ("lines", "branches")
TOTAL = "in all"
ROW = "{:<52} {:>7} {:>7} {:>8} {:>8}"


def share(covered, count):
    return f"{100 * covered / count:.1f} %" if count else "-"


def emptiness(kind):
    return kind["covered"] / max(kind["count"], 1)


def row(name, lines, branches):
    return ROW.format(
        name,
        lines["count"],
        share(lines["covered"], lines["count"]),
        branches["count"],
        share(branches["covered"], branches["count"]),
    )


def read(path, files):
    """Adds a trace to what was reached, by file: lines and branches with whether they were."""
    with open(path, encoding="utf-8") as trace:
        for line in trace:
            kind, _, value = line.rstrip().partition(":")
            if kind == "SF":
                file = files[value.removeprefix(BUILD_FOLDER)]
            elif kind == "DA":
                at, count = value.split(",")
                file["lines"][at] |= count != "0"
            elif kind == "BRDA":
                at, count = value.rsplit(",", 1)
                file["branches"][at] |= count not in ("0", "-")


def main(paths):
    files = collections.defaultdict(lambda: {k: collections.defaultdict(bool) for k in KINDS})
    for path in paths:
        read(path, files)
    reached = {
        name: {k: {"count": len(at), "covered": sum(at.values())} for k, at in kinds.items()}
        for name, kinds in files.items()
    }
    folders = collections.defaultdict(lambda: {kind: collections.Counter() for kind in KINDS})
    for name, kinds in reached.items():
        folder = os.path.dirname(name)
        for key in (folder, folder.partition("/")[0] + " in all", TOTAL):
            for kind in KINDS:
                folders[key][kind].update(kinds[kind])
    print(ROW.format("folder", "lines", "", "branches", ""))
    for name in sorted(folders, key=lambda name: (name == TOTAL, name)):
        print(row(name, folders[name]["lines"], folders[name]["branches"]))
    print()
    missing = {
        name: kinds
        for name, kinds in reached.items()
        if any(kinds[kind]["covered"] < kinds[kind]["count"] for kind in KINDS)
    }
    print(ROW.format("file", "lines", "", "branches", ""))
    for name in sorted(missing, key=lambda name: emptiness(missing[name]["lines"])):
        print(row(name, missing[name]["lines"], missing[name]["branches"]))


if __name__ == "__main__":
    main(sys.argv[1:])
