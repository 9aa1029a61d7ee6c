"""Scenarios as data: what goes wrong, in what run, and what must come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from expectation import Expectation, read_expectation
from http2_peer import Http2Faults, read_http2
from sections import ScenarioError, Section, read_list
from toxics import TOXICS, Toxic

from programs import ROOT

FOLDER = ROOT / "tests/faults/scenarios"
# Read in a tenth of a second: 121 requests. All kinds of odd records are among the first of
# each kind, and there are three pages of companies.
WORKSPACE = (
    "--users=40",
    "--leads=20",
    "--companies=230",
    "--conversations=12",
    "--parts-per-conversation=3",
    "--scroll-ttl-ms=1500",
)
# What may be said when a fault that passes meets the scroll or a search; no row is missing.
DETOURS = ("SCROLL_BUSY", "LIST_INSTEAD_OF_SEARCH")
CERTIFICATES = ("good", "expired", "other_name", "unknown")
BETWEEN = ("client-server", "server-intercom")


@dataclass(frozen=True)
class Run:
    """How the extraction is run."""

    # Beyond those of the workspace; the last of a kind counts.
    fake: tuple[str, ...] = ()
    flags: tuple[str, ...] = ("--template", "all")
    # Through intercom-extractor-server rather than inside the command line.
    server: bool = False
    tls: bool = False
    certificate: str = "good"
    # The name by which Intercom is called; its address is the loopback's all the same.
    host: str = "127.0.0.1"
    # Of the configuration: http timeouts and the like.
    config: Mapping[str, Any] = field(default_factory=dict)
    # Nothing listens before; for ever where negative.
    intercom_starts_after: float = 0
    # How often it is run again with --resume when it ended with another code than 0.
    resume: int = 0
    # Of whoever calls Intercom.
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Clock:
    """What happens to the clock of the extractor."""

    by: float
    # Seconds after the start; 0: wrong from the start.
    after: float


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    file: Path
    # Its faults may be drawn for combinations: whoever tries again gets over them.
    combine: bool = False
    faults: str = ""
    # The fake's to read.
    rules: tuple[Mapping[str, Any], ...] = ()
    connections: tuple[Mapping[str, Any], ...] = ()
    http2: Http2Faults | None = None
    network: Mapping[str, tuple[Toxic, ...]] = field(default_factory=dict)
    # What looking up `run.host` gives, the first time and so on; the last goes on.
    dns: tuple[str, ...] = ()
    clock: Clock | None = None
    run: Run = Run()
    expect: Expectation = field(default_factory=Expectation)

    def for_fake(self) -> dict[str, Any]:
        """What the fake must know."""
        return {
            "name": self.name,
            "faults": self.faults,
            "rules": [dict(rule) for rule in self.rules],
            "connections": [dict(rule) for rule in self.connections],
        }

    def fake_flags(self) -> tuple[str, ...]:
        """Of the workspace; the last of a kind counts."""
        flags = {flag.partition("=")[0]: flag for flag in (*WORKSPACE, *self.run.fake)}
        return tuple(flags.values())

    def __str__(self) -> str:
        return self.name


def load(folder: Path = FOLDER) -> list[Scenario]:
    """All of them; ScenarioError says what cannot be read."""
    scenarios = [
        scenario for file in sorted(folder.glob("*.yaml")) for scenario in read_scenarios(file)
    ]
    seen: dict[str, Scenario] = {}
    for scenario in scenarios:
        if scenario.name in seen:
            other = seen[scenario.name].file.name
            raise ScenarioError(f'{scenario.file}: "{scenario.name}" is also in {other}')
        seen[scenario.name] = scenario
    return scenarios


def read_scenarios(file: Path) -> list[Scenario]:
    return read_list(file, lambda section: _read(file, section))


def _read(file: Path, section: Section) -> Scenario:
    run = _read_run(section.below("run"))
    name, about = section.text("name"), section.text("about")
    for key, text in (("name", name), ("about", about)):
        if not text:
            raise section.error("is missing", key)
    network: dict[str, list[Toxic]] = {}
    for entry in section.each("network"):
        between, toxic = _read_toxic(entry)
        network.setdefault(between, []).append(toxic)
    http2 = section.below("http2")
    combine = section.flag("combine")
    expect = read_expectation(section.below("expect"))
    if combine or run.resume:
        possible = (*expect.possible_notices, *DETOURS)
        expect = replace(expect, possible_notices=possible)
    scenario = Scenario(
        name=name,
        about=about,
        file=file,
        combine=combine,
        faults=section.text("faults"),
        rules=tuple(section.value("rules", [])),
        connections=tuple(section.value("connections", [])),
        http2=None if http2 is None else read_http2(http2),
        network={between: tuple(toxics) for between, toxics in network.items()},
        dns=section.texts("dns"),
        clock=_read_clock(section.below("clock")),
        run=run,
        expect=expect,
    )
    section.end()
    if "client-server" in scenario.network and not run.server:
        raise section.error("client-server needs `run: {server: true}`", "network")
    return scenario


def _read_run(section: Section | None) -> Run:
    if section is None:
        return Run()
    default = Run()
    run = Run(
        fake=section.texts("fake"),
        flags=section.texts("flags") or default.flags,
        server=section.flag("server"),
        tls=section.flag("tls"),
        certificate=section.choice("certificate", CERTIFICATES, default.certificate),
        host=section.text("host", default.host),
        config=section.value("config", {}),
        intercom_starts_after=section.seconds("intercom_starts_after"),
        resume=section.number("resume"),
        environment=section.value("environment", {}),
    )
    section.end()
    return run


def _read_clock(section: Section | None) -> Clock | None:
    if section is None:
        return None
    clock = Clock(section.seconds("by"), section.seconds("after"))
    section.end()
    return clock


def _read_toxic(section: Section) -> tuple[str, Toxic]:
    between = section.choice("between", BETWEEN)
    kind = section.choice("toxic", TOXICS)
    if not between or not kind:
        raise section.error("needs `between` and `toxic`")
    toxic = Toxic(
        kind=kind,
        direction=section.choice("direction", ("up", "down", "both"), "both"),
        connections=section.number("connections"),
        seconds=section.seconds("time"),
        jitter=section.seconds("jitter"),
        bytes=section.number("bytes"),
    )
    section.end()
    return between, toxic
