"""Gives one program a wrong clock, with libfaketime."""

import sys
from pathlib import Path


def library() -> Path | None:
    """Where the package libfaketime put it; None where it is not installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime*.so.1"))
    return next((path for path in found if "MT" not in path.name), None)


def faked_clock(by: float, after: float, folder: Path) -> dict[str, str]:
    """What its environment needs for a clock that is `by` seconds wrong, or becomes so later:
    then it is as wrong as `folder`/clock says."""
    found = library()
    if found is None:
        raise RuntimeError(f"no libfaketime here: apt install libfaketime ({sys.platform})")
    variables = {
        "LD_PRELOAD": str(found),
        # Clocks that only measure time go on.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    if not after:
        return {**variables, "FAKETIME": f"{by:+.3f}"}
    file = folder / "clock"
    file.write_text("+0")
    return {**variables, "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}
