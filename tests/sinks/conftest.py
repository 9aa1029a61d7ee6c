"""What the tests of all sinks that kill share."""

from collections import Counter
from pathlib import Path

import pytest
import sink_campaign

from programs import write_expected


@pytest.fixture(scope="session")
def killed_expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_expected(tmp_path_factory.mktemp("killed"), *sink_campaign.WORKSPACE)


@pytest.fixture(scope="module")
def kills() -> Counter[str]:
    """Of all seeds."""
    return Counter()
