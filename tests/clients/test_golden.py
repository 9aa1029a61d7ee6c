"""Bytes of every message of the stream, decoded."""

import json
import math
import re
from pathlib import Path
from typing import Any

import make_golden
from drivers import Driver
from make_golden import GOLDEN

NAMES = sorted(path.stem for path in GOLDEN.glob("*.binpb"))


def test_the_golden_files_are_what_the_proto_files_say(tmp_path: Path) -> None:
    make_golden.write(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in GOLDEN.iterdir()}


def comparable(value: Any) -> Any:
    """Languages write numbers, times and durations with more or fewer digits."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"(\d{4}-\d\d-\d\dT[\d:]+|\d+)(\.\d+)?[Zs]", value):
        return re.sub(r"\.?0*([Zs])$", r"\1", value) if "." in value else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        assert math.isfinite(value)
        return float(value)
    return value


def test_golden_bytes_decode_to_the_same_document(driver: Driver, tmp_path: Path) -> None:
    decoded = tmp_path / "decoded"
    decoded.mkdir()
    files = [
        {
            "message": "ExtractResponse",
            "bytes": str(GOLDEN / f"{name}.binpb"),
            "json": str(decoded / f"{name}.json"),
        }
        for name in NAMES
    ]
    assert len(files) > 50
    result = driver.run(tmp_path / "run", action="decode", files=files)
    assert result.error is None
    different = []
    for name in NAMES:
        ours = json.loads((decoded / f"{name}.json").read_text(encoding="utf-8"))
        theirs = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
        if comparable(ours) != comparable(theirs):
            different.append(f"{name}: {ours}, want {theirs}")
    assert not different, "\n".join(different)
