"""What the tests share: one running fake, what it expects, and the missing programs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs import INTERCOM_EXTRACT, INTERCOM_SERVER, Fake, running_fake, write_expected


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    """The default workspace: every edge case, no faults, no quota."""
    with running_fake(tmp_path_factory.mktemp("fake") / "log") as running:
        yield running


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the default workspace, with all columns."""
    return write_expected(tmp_path_factory.mktemp("expected"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without the programs, tests of the command line are skipped, or fail with REQUIRE_CLI=1."""
    if os.environ.get("REQUIRE_CLI") == "1":
        return
    missing = [path.name for path in (INTERCOM_EXTRACT, INTERCOM_SERVER) if not path.exists()]
    for item in items:
        if missing and item.get_closest_marker("command_line"):
            item.add_marker(pytest.mark.skip(reason=f"not built: {', '.join(missing)}"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "command_line: needs intercom-extract and its server")
