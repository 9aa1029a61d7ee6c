"""Two or three faults at once, drawn from those of the library that pass."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from expectation import Expectation
from http2_peer import Http2Faults
from library import DETOURS, Run, Scenario
from toxics import Toxic

# A scroll that broke is free again after this; longer than what several slow answers take.
SCROLL_LIFE = "--scroll-ttl-ms=4000"
# Of the requests of an extraction, so many come first.
LATEST = 100
# What a fault may have said although nothing was lost.
POSSIBLE_NOTICES = (*DETOURS, "COUNT_DIFFERS")
MOST_SECONDS = 140.0
CRUEL_TO_ONE_CONNECTION = {"slicer", "limit_data", "reset_peer", "timeout"}


@dataclass(frozen=True)
class Combination:
    seed: int
    number: int
    parts: tuple[str, ...]
    scenario: Scenario

    def again(self) -> str:
        """The command that repeats it."""
        return f"./run soak faults --seed {self.seed} --only {self.number}"


def combine(library: Sequence[Scenario], seed: int, number: int) -> Combination:
    """The same for the same seed, number and library."""
    chance = random.Random(f"faults {seed} {number}")
    candidates = [scenario for scenario in library if scenario.combine]
    parts: list[Scenario] = []
    wanted = chance.randint(2, 3)
    while len(parts) < wanted:
        candidate = chance.choice(candidates)
        if not any(_exclude(candidate, part) for part in parts):
            parts.append(candidate)
    names = tuple(part.name for part in parts)
    http2 = [part.http2 for part in parts if part.http2 is not None]
    network: dict[str, tuple[Toxic, ...]] = {}
    for part in parts:
        for between, toxics in part.network.items():
            network[between] = network.get(between, ()) + toxics
    scenario = Scenario(
        name=f"combination {seed} {number}",
        about=" + ".join(names),
        file=parts[0].file,
        faults=",".join(part.faults for part in parts if part.faults),
        rules=tuple(_moved(rule, chance) for part in parts for rule in part.rules),
        connections=tuple(rule for part in parts for rule in part.connections),
        http2=_merged(http2, chance) if http2 else None,
        network=network,
        dns=next((part.dns for part in parts if part.dns), ()),
        run=_run(parts),
        expect=Expectation(
            possible_notices=POSSIBLE_NOTICES,
            seconds=MOST_SECONDS,
        ),
    )
    return Combination(seed, number, names, scenario)


def _exclude(one: Scenario, other: Scenario) -> bool:
    """Whether the two cannot both happen, would be one, or leave no time for anything."""
    return (
        one.name == other.name
        or bool(one.dns and other.dns)
        # Refusals that do not say for how long: some minutes, and all is well.
        or one.file.stem == other.file.stem == "quota"
        or _clash(one, other)
        or _clash(other, one)
    )


def _clash(one: Scenario, other: Scenario) -> bool:
    toxics = {toxic.kind for toxics in other.network.values() for toxic in toxics}
    # Connections of the fake are of the server that speaks HTTP/2 then.
    if one.http2 is not None and (other.run.tls or other.connections):
        return True
    # All answers come over one connection then: what befalls it befalls each of six tries.
    if one.http2 is not None and toxics & CRUEL_TO_ONE_CONNECTION:
        return True
    # A plain connection has no TLS to break.
    if one.connections and one.run.tls != other.run.tls:
        return True
    # Who has little patience does not get through a bad network.
    return "http" in one.run.config and bool(toxics)


def _moved(rule: Mapping[str, Any], chance: random.Random) -> Mapping[str, Any]:
    """The same at another time; what is for one path stays at one of its first requests."""
    on: dict[str, Any] = dict(rule.get("on", {}))
    if "path" in on:
        if "nth" in on:
            on["nth"] = chance.randint(1, 4)
    else:
        on["after"] = on.get("after", 0) + chance.randint(0, LATEST)
        if "nth" in on:
            on["nth"] = chance.randint(1, 20)
        elif on.get("every", 1) > 3:
            on["every"] = chance.randint(5, 40)
    return {**rule, "on": on}


def _merged(faults: Sequence[Http2Faults], chance: random.Random) -> Http2Faults:
    rules = [
        replace(rule, first=rule.first + chance.randint(0, LATEST // 2)) if rule.every > 1 else rule
        for each in faults
        for rule in each.rules
    ]
    return Http2Faults(
        rules=tuple(rules),
        max_streams=max(each.max_streams for each in faults),
        connections=max(each.connections for each in faults),
        frame_bytes=min(each.frame_bytes for each in faults),
    )


def _run(parts: Sequence[Scenario]) -> Run:
    config: dict[str, Any] = {}
    for part in parts:
        config.setdefault("http", {}).update(part.run.config.get("http", {}))
    host = next((part.run.host for part in parts if part.dns), Run.host)
    return Run(
        fake=(*(flag for part in parts for flag in part.run.fake), SCROLL_LIFE),
        tls=any(part.run.tls for part in parts),
        host=host,
        config=config,
        # The first request of a run is tried three times only.
        resume=3,
    )
