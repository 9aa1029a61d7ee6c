"""Resume tokens that each release has given, continued by the server of today."""

import base64
import json
from collections import Counter
from pathlib import Path

import pytest
from extraction import RECIPES, Kept, opened, read
from intercom.extractor.v1 import extractor_service_pb2 as service
from release_files import RELEASES, TOKENS, VERSIONS, Keys, made_now

from programs import ACCESS_TOKEN

CASES = [
    pytest.param(version, token, id=f"{version} {token['recipe']} {token['checkpoint']}")
    for version in VERSIONS
    for token in json.loads((RELEASES / version / TOKENS).read_text())
]


@pytest.mark.parametrize(("version", "kept"), CASES)
def test_an_extraction_of_a_release_goes_on_to_its_end(
    version: str, kept: dict[str, object], tmp_path: Path
) -> None:
    """Just what was left comes, and all of a table that begins anew."""
    del version  # It is in the test's name.
    recipe = RECIPES[str(kept["recipe"])]
    token = made_now(base64.b64decode(str(kept["token"])), ACCESS_TOKEN)
    came = Kept()
    with opened(recipe, tmp_path) as channel:
        read(channel, recipe.call(token), came)
    assert came.summary is not None
    everything, left = kept["all"], kept["left"]
    assert isinstance(everything, dict)
    assert isinstance(left, dict)
    for table in came.summary.tables:
        assert table.status == service.TABLE_STATUS_COMPLETE, table
        if table.table not in everything:
            continue
        wanted = everything if table.table in came.restarted else left
        found = Keys.of(list(came.keys.get(table.table, Counter()).elements()))
        assert vars(found) == wanted[table.table], f"{table.table}: {WHY}"
        assert table.rows == everything[table.table]["rows"], table.table


WHY = (
    "other rows came than the release left to be read. If nothing is wrong with the server, the "
    "fake makes another workspace of the same flags than it did: let it make the old one, too"
)


def test_each_release_has_tokens_of_every_recipe() -> None:
    for version in VERSIONS:
        tokens = json.loads((RELEASES / version / TOKENS).read_text())
        assert {token["recipe"] for token in tokens} >= {"lists", "windows", "changes"}
