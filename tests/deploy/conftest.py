"""What the tests of all ways to deploy share."""

import re
import subprocess

import pytest

from programs import INTERCOM_EXTRACT, clean_environment


@pytest.fixture(scope="session")
def worker_flags() -> set[str]:
    """Those that `intercom-extract fleet work` takes."""
    command = [INTERCOM_EXTRACT, "fleet", "work", "--help"]
    help = subprocess.run(
        command, check=True, capture_output=True, text=True, env=clean_environment()
    ).stdout
    return set(re.findall(r"--[a-z-]+", help))
