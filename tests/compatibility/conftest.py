"""The releases whose files the tests read."""

import pytest
from release_files import VERSIONS


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
