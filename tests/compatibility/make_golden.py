"""Makes the files of the release in release/version.txt, with today's programs.

    tests/compatibility/run.sh golden

For a release, once; until it is out, whenever the contract changes.
"""

import base64
import json
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from extraction import CHANGES, LISTS, RECIPES, Kept, Recipe, opened, read
from grpc_tools import protoc
from release_files import CONTRACT, RELEASES, STATES, STREAM, TOKENS, Keys, write_stream

from programs import ROOT

# Which checkpoints' tokens are kept: one with everything under way and one further on.
CHECKPOINTS = (1, 2)


def write_descriptors(folder: Path) -> None:
    for name, root, files in (
        (CONTRACT, ROOT / "proto", sorted((ROOT / "proto").rglob("*.proto"))),
        (STATES, ROOT / "extractor/checkpoint", [ROOT / "extractor/checkpoint/resume_state.proto"]),
    ):
        arguments = ["protoc", f"-I{root}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
        arguments += ["--include_imports", f"--descriptor_set_out={folder / name}"]
        if protoc.main([*arguments, *map(str, files)]) != 0:
            raise RuntimeError("protoc failed; its errors stand above")


def keys_by_table(kept: Kept) -> dict[str, object]:
    return {
        table: asdict(Keys.of(list(keys.elements()))) for table, keys in sorted(kept.keys.items())
    }


def tokens_of(recipe: Recipe, folder: Path) -> list[dict[str, object]]:
    """Tokens of an extraction under way, with what they leave to be read."""
    whole = Kept()
    with opened(recipe, folder / "whole") as channel:
        read(channel, recipe.call(), whole)
    assert whole.summary is not None, recipe
    found = []
    for number in CHECKPOINTS:
        kept = Kept()
        with opened(recipe, folder / str(number), slowly=True) as channel:
            read(channel, recipe.call(), kept, number)
        if kept.summary is not None or kept.checkpoints < number:
            break
        left = Kept()
        for table, keys in whole.keys.items():
            left.keys[table] = keys - kept.keys.get(table, Counter())
        found.append(
            {
                "recipe": recipe.name,
                "checkpoint": number,
                "token": base64.b64encode(kept.token).decode(),
                "left": keys_by_table(left),
                "all": keys_by_table(whole),
            }
        )
    assert found, f"{recipe}: too fast for a checkpoint on the way"
    return found


def write_streams(recipe: Recipe, folder: Path, output: Path) -> Counter[str]:
    """An extraction in two streams; how many events of each kind."""
    kept = Kept()
    with opened(recipe, folder / "streams", slowly=True) as channel:
        first = read(channel, recipe.call(), kept, 1)
        second = read(channel, recipe.call(kept.token), kept)
    assert kept.summary is not None, recipe
    for number, events in ((1, first), (2, second)):
        write_stream(output / STREAM.format(name=recipe.name, number=number), events)
    kinds: Counter[str] = Counter()
    for event in (*first, *second):
        kinds[Kept.kind_of(event)] += 1
    return kinds


def main() -> int:
    version = (ROOT / "release/version.txt").read_text().strip()
    output = RELEASES / version
    with tempfile.TemporaryDirectory() as scratch:
        folder, made = Path(scratch), Path(scratch) / "made"
        made.mkdir()
        write_descriptors(made)
        kinds: Counter[str] = Counter()
        for recipe in (LISTS, CHANGES):
            kinds += write_streams(recipe, folder / recipe.name, made)
        tokens = [
            token
            for recipe in RECIPES.values()
            for token in tokens_of(recipe, folder / recipe.name)
        ]
        (made / TOKENS).write_text(json.dumps(tokens, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(made, output)
    print(f"{version}: {len(tokens)} tokens; events: {dict(sorted(kinds.items()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
