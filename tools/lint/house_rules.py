"""Checks the repository's text for what must not be in it.

Reads file names from standard input, separated by NUL; prints each finding as
FILE:LINE: REASON and exits with 1 when there is one.
"""

import re
import sys

# Inputs of fuzzers are as they were found.
INPUTS = "tests/fuzz/corpus/"

# Copies of other people's documents are as they are.
COPIES = {"tests/testdata/intercom-openapi-2.16.yaml", "tests/testdata/tables.tsv"}

# Written so that no rule finds itself.
RULES = [
    (re.compile(r"(?<![\w.$}])/(?:home|root|work|Users)/\w"), "path of one machine"),
    (re.compile(r"\b(?:T[O]DO|F[I]XME|H[A]CK|X[X]X)\b"), "left open: do it or file an issue"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*$"), "private key"),
    # Intercom's access tokens are base64 of "tok:..."; the rest are common providers'.
    (re.compile(r"\bdG9rO[\w+/=]{20,}"), "Intercom access token"),
    (re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abp]-[\w-]{10,})"), "access key"),
    (re.compile(r"\beyJ[\w-]{20,}\.[\w-]{20,}\."), "JSON web token"),
]
LAYOUT_RULES = [
    (re.compile(r"[ \t]+$"), "trailing whitespace"),
    (re.compile(r"\r$"), "carriage return at the end of a line"),
]
LOCK_RULES = [(re.compile(r'"resolved":'), "lock file names a registry's host")]


def findings(name):
    with open(name, "rb") as file:
        content = file.read()
    if b"\0" in content or not content:
        return
    has_layout = not name.startswith(INPUTS)
    rules = RULES + LAYOUT_RULES * has_layout + LOCK_RULES * name.endswith("package-lock.json")
    lines = content.decode("utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        for pattern, reason in rules:
            if pattern.search(line):
                yield f"{name}:{number}: {reason}"
    if lines[-1] and has_layout and not name.endswith((".csv", ".json")):
        yield f"{name}:{len(lines)}: no newline at the end of the file"


def main():
    names = [name for name in sys.stdin.read().split("\0") if name and name not in COPIES]
    found = [finding for name in names for finding in findings(name)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
