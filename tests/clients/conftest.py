"""What the scenarios share: the languages, one running fake and server, what they must give."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import LANGUAGES, Driver, Unavailable
from programs import Fake, running_fake, write_expected
from server import Server, running

_available: dict[str, Driver | str] = {}


def available(language: str) -> Driver | str:
    """The driver, ready to run, or why there is none."""
    if language not in _available:
        driver = Driver(language)
        try:
            driver.prepare()
            _available[language] = driver
        except Unavailable as reason:
            _available[language] = str(reason)
    return _available[language]


def available_drivers() -> dict[str, Driver]:
    """Of all languages, for what takes so long that all go through it at once."""
    found = [language for language in LANGUAGES if isinstance(available(language), Driver)]
    return {language: Driver(language) for language in found}


@pytest.fixture(params=LANGUAGES)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    found = available(request.param)
    if isinstance(found, str):
        # The CI machine has all toolchains.
        if os.environ.get("CI") == "true":
            pytest.fail(f"{request.param} must run in CI: {found}")
        pytest.skip(f"{request.param}: {found}")
    yield found
    found.kill_all()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says once per language why it was skipped."""
    for language, found in _available.items():
        if isinstance(found, str):
            terminalreporter.write_line(f"skipped {language}: {found}")


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    """The default workspace: every edge case, no faults, no quota."""
    with running_fake(tmp_path_factory.mktemp("fake") / "log") as started:
        yield started


@pytest.fixture(scope="session")
def server(fake: Fake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Reads the default workspace."""
    with running(Server(tmp_path_factory.mktemp("server"), fake.base_url)) as started:
        yield started


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the default workspace, with all columns."""
    return write_expected(tmp_path_factory.mktemp("expected"))
