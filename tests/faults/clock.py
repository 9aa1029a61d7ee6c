"""Gives one program a wrong clock, with libfaketime."""

import sys
from pathlib import Path

FILE = "clock"


def library() -> Path | None:
    """Where the package libfaketime put it; None where it is not installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime*.so.1"))
    return next((path for path in found if "MT" not in path.name), None)


def faked_clock(by: float, after: float, folder: Path) -> dict[str, str]:
    """What its environment needs for a clock that is `by` seconds wrong; or that is right at
    first where `after`, and as wrong as `set_clock` says later."""
    found = library()
    if found is None:
        raise RuntimeError(f"no libfaketime here: apt install libfaketime ({sys.platform})")
    variables = {
        "LD_PRELOAD": str(found),
        # Clocks that only measure time go on.
        "DONT_FAKE_MONOTONIC": "1",
    }
    if not after:
        return {**variables, "FAKETIME": f"{by:+.3f}"}
    set_clock(0, folder)
    file = str(folder / FILE)
    return {**variables, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1"}


def set_clock(by: float, folder: Path) -> None:
    """From now on the clock is so wrong; never read half written."""
    new = folder / f"{FILE}.new"
    new.write_text(f"{by:+.3f}")
    new.replace(folder / FILE)
