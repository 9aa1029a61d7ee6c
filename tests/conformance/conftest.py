"""What the tests share: one running fake, what it expects, and the missing programs.

With --base-url only those tests run that know nothing of what a workspace holds.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from programs import (
    ACCESS_TOKEN,
    INTERCOM_EXTRACT,
    INTERCOM_SERVER,
    RUN_SECONDS,
    Fake,
    running_fake,
    write_expected,
)
from tables import TABLES


@dataclass(frozen=True)
class Source:
    """An Intercom-like server, and how to read it."""

    base_url: str
    token: str
    # Of these tables.
    tables: tuple[str, ...]
    # How long one command may take.
    seconds: float | None


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("an Intercom-like server instead of the fake")
    group.addoption("--base-url", metavar="URL")
    group.addoption("--token-env", metavar="NAME", help="the variable with its access token")
    group.addoption("--tables", metavar="a,b,c", help="which tables to read; default: all")


@pytest.fixture(scope="session")
def source(request: pytest.FixtureRequest) -> Source:
    """The server that the flags name, else the fake."""
    tables = request.config.getoption("--tables")
    asked = tuple(tables.split(",")) if tables else tuple(TABLES)
    base_url = request.config.getoption("--base-url")
    if base_url is None:
        fake: Fake = request.getfixturevalue("fake")
        return Source(fake.base_url, ACCESS_TOKEN, asked, RUN_SECONDS)
    return Source(base_url, os.environ[request.config.getoption("--token-env")], asked, None)


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    """The default workspace: every edge case, no faults, no quota."""
    with running_fake(tmp_path_factory.mktemp("fake") / "log") as running:
        yield running


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the default workspace, with all columns."""
    return write_expected(tmp_path_factory.mktemp("expected"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without the programs, tests of the command line are skipped, or fail with REQUIRE_CLI=1."""
    if config.getoption("--base-url") is not None:
        fit = [item for item in items if item.get_closest_marker("any_intercom")]
        config.hook.pytest_deselected(items=[item for item in items if item not in fit])
        items[:] = fit
    if os.environ.get("REQUIRE_CLI") == "1":
        return
    missing = [path.name for path in (INTERCOM_EXTRACT, INTERCOM_SERVER) if not path.exists()]
    for item in items:
        if missing and item.get_closest_marker("command_line"):
            item.add_marker(pytest.mark.skip(reason=f"not built: {', '.join(missing)}"))


def pytest_configure(config: pytest.Config) -> None:
    token_env = config.getoption("--token-env")
    if config.getoption("--base-url") is not None and not os.environ.get(token_env or ""):
        raise pytest.UsageError("--base-url needs --token-env NAME, a variable with the token")
    config.addinivalue_line("markers", "command_line: needs intercom-extract and its server")
    config.addinivalue_line("markers", "any_intercom: needs to know nothing of the content")
