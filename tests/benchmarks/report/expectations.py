"""What ratios are expected to be: what they were when they were recorded, and targets."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratios import Pair, Results


@dataclass
class Expectation:
    """Of one pair."""

    name: str
    against: str
    # For people.
    what: str
    # "speed": ours is so many times as fast, more is better. "cost": it takes so many
    # times as much, less is better.
    measure: str
    # What it was, and by what share a run may be worse: the noise of the machine.
    recorded: float | None
    tolerance: float
    # Whether it goes by the clock on the wall, which other people's work moves.
    wall: bool
    # What it is to be in the end: at least, of a speed; at most, of a cost.
    target: float | None

    def of(self, pair: Pair) -> float:
        return pair.speed if self.measure == "speed" else pair.cost

    def can_be_judged(self, results: Results) -> bool:
        return not (self.wall and results.busy)

    def has_fallen(self, ratio: float) -> bool:
        """Whether it is worse than it was."""
        if self.recorded is None:
            return False
        if self.measure == "speed":
            return ratio < self.recorded * (1 - self.tolerance)
        return ratio > self.recorded * (1 + self.tolerance)

    def misses(self, ratio: float) -> bool:
        """Whether the target is not met."""
        if self.target is None:
            return False
        return ratio < self.target if self.measure == "speed" else ratio > self.target

    @property
    def bound(self) -> str:
        return "at least" if self.measure == "speed" else "at most"


def read(file: Path) -> list[Expectation]:
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    expectations = [
        Expectation(
            name=entry["name"],
            against=entry["against"],
            what=entry["what"],
            measure=entry["measure"],
            recorded=entry.get("recorded"),
            tolerance=entry["tolerance"],
            wall=entry.get("wall", False),
            target=entry.get("target"),
        )
        for entry in entries
    ]
    for expectation in expectations:
        if expectation.measure not in ("speed", "cost"):
            raise ValueError(f"{expectation.name}: measure is {expectation.measure!r}")
    return expectations


def write(file: Path, expectations: Sequence[Expectation]) -> None:
    entries = [
        {
            key: value
            for key, value in vars(expectation).items()
            if value is not None and value is not False
        }
        for expectation in expectations
    ]
    lines = ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in entries)
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def record(expectations: Sequence[Expectation], results: Results) -> None:
    """Makes what these pairs are what is expected of them, where they can be judged."""
    measured = {(pair.name, pair.against): pair for pair in results.pairs()}
    for expectation in expectations:
        pair = measured.get((expectation.name, expectation.against))
        if pair is not None and expectation.can_be_judged(results):
            expectation.recorded = round(expectation.of(pair), 3)


def problems(expectations: Sequence[Expectation], results: Results) -> list[str]:
    """What fell, misses its target or was not measured, though its benchmark ran."""
    pairs = results.pairs()
    measured = {(pair.name, pair.against): pair for pair in pairs}
    ran = {pair.name.split("/")[0] for pair in pairs}
    found = []
    for expectation in expectations:
        label = f"{expectation.name} against {expectation.against}"
        pair = measured.get((expectation.name, expectation.against))
        if pair is None:
            if expectation.name.split("/")[0] in ran:
                found.append(f"{label}: was not measured")
            continue
        if not expectation.can_be_judged(results):
            continue
        ratio = expectation.of(pair)
        if expectation.has_fallen(ratio):
            found.append(
                f"{label}: {expectation.measure} fell from {expectation.recorded:.3g} to "
                f"{ratio:.3g}; {expectation.tolerance:.0%} are noise"
            )
        if expectation.misses(ratio):
            found.append(
                f"{label}: {expectation.measure} is {ratio:.3g}, the target is "
                f"{expectation.bound} {expectation.target:.3g}"
            )
    return found
