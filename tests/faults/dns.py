"""Has one program look up one name as a scenario says, without any network."""

import os
from collections.abc import Sequence
from pathlib import Path

from programs import program

LIBRARY = program("DNS_FAULTS", "tests/faults/libdns_faults.so")
# fail: no such name. again: the resolver does not answer now. dead: an address where nothing
# listens. here: the loopback's. both: dead, then here, in one answer.
ANSWERS = ("fail", "again", "dead", "here", "both")


def faked_dns(host: str, answers: Sequence[str]) -> dict[str, str]:
    """What its environment needs."""
    assert set(answers) <= set(ANSWERS), answers
    return {"LD_PRELOAD": os.fspath(LIBRARY), "DNS_FAULTS": f"{host}={','.join(answers)}"}


def is_built() -> bool:
    return Path(LIBRARY).exists()
