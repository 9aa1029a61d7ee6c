"""Extractions of made-up workspaces, of which tokens and streams are kept."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from intercom.extractor.v1 import annotations_pb2 as annotations
from intercom.extractor.v1 import extractor_service_pb2 as service
from raw_consumer import EXTRACT, LARGEST_MESSAGE
from release_files import keys_in

from programs import running_fake, running_server


@dataclass(frozen=True)
class Recipe:
    """What is extracted. A release's tokens name it, so that none may change: add another."""

    name: str
    # Of the fake: what the workspace holds.
    flags: tuple[str, ...]
    # Slow and bad, so that there are checkpoints on the way, and restarts.
    pace: tuple[str, ...]
    request: dict[str, Any]

    def call(self, token: bytes = b"") -> service.ExtractRequest:
        return service.ExtractRequest(**self.request, resume_token=token)


@dataclass
class Kept:
    """What a consumer has once it has read some events."""

    keys: dict[str, Counter[tuple[Any, ...]]] = field(default_factory=dict)
    restarted: set[str] = field(default_factory=set)
    token: bytes = b""
    checkpoints: int = 0
    summary: service.Summary | None = None

    @staticmethod
    def kind_of(event: bytes) -> str:
        return service.ExtractResponse.FromString(event).WhichOneof("event") or "unknown"

    def add(self, event: service.ExtractResponse) -> None:
        kind = event.WhichOneof("event")
        if kind == "row_batch":
            keys = self.keys.setdefault(event.row_batch.table, Counter())
            keys.update(keys_in(event.row_batch))
        elif kind == "table_restarted":
            self.keys[event.table_restarted.table] = Counter()
            self.restarted.add(event.table_restarted.table)
        elif kind == "checkpoint":
            self.token = event.checkpoint.resume_token
            self.checkpoints += 1
        elif kind == "summary":
            self.summary = event.summary


# All tables: pages, sub-lists and details that are pending, and a scroll that breaks once.
LISTS = Recipe(
    "lists",
    (
        *("--users=150", "--leads=60", "--companies=700", "--conversations=60", "--seed=21"),
        "--scroll-ttl-ms=1500",
    ),
    ("--quota=30/500ms", "--latency-ms=150", "--faults=scroll_500_once"),
    {"template": annotations.TEMPLATE_ALL},
)
# Contacts are searched in windows of time; the scroll takes so long that it is cut off.
WINDOWS = Recipe(
    "windows",
    (
        *("--users=3300", "--leads=300", "--companies=9000", "--conversations=0"),
        *("--seed=22", "--scroll-ttl-ms=1500"),
    ),
    ("--quota=16/500ms", "--latency-ms=100"),
    {"tables": ["users", "leads", "users_tags", "companies"]},
)
# Only what changed, and what is gone.
CHANGES = Recipe(
    "changes",
    (
        *("--users=400", "--leads=150", "--companies=60", "--conversations=150", "--seed=23"),
        *("--deleted-conversations=80", "--scroll-ttl-ms=1500"),
    ),
    ("--quota=12/500ms", "--latency-ms=100"),
    {
        "template": annotations.TEMPLATE_ALL,
        "updated_since": {"seconds": 1_735_000_000},
        "find_deleted": True,
        "with_parents": True,
    },
)
RECIPES = {recipe.name: recipe for recipe in (LISTS, WINDOWS, CHANGES)}


@contextmanager
def opened(recipe: Recipe, folder: Path, slowly: bool = False) -> Iterator[grpc.Channel]:
    """A channel to a server whose default connection is the recipe's workspace."""
    folder.mkdir(parents=True, exist_ok=True)
    pace = recipe.pace if slowly else ()
    with running_fake(folder / "fake.log", *recipe.flags, *pace) as fake:
        config = folder / "server.yaml"
        config.write_text(
            "connections:\n"
            "  - name: default\n"
            f"    base_url: {fake.base_url}\n"
            "    access_token_env: INTERCOM_ACCESS_TOKEN\n",
            encoding="utf-8",
        )
        options = (
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        )
        with (
            running_server(config, folder / "server.log") as address,
            grpc.insecure_channel(address, options) as channel,
        ):
            yield channel


def read(
    channel: grpc.Channel, request: service.ExtractRequest, kept: Kept, most_checkpoints: int = 0
) -> list[bytes]:
    """The events, up to the checkpoint of that number of this stream, else all."""
    extract = channel.unary_stream(
        EXTRACT,
        request_serializer=service.ExtractRequest.SerializeToString,
        response_deserializer=bytes,
    )
    events: list[bytes] = []
    call = extract(request, timeout=300)
    start = kept.checkpoints
    for event in call:
        events.append(event)
        kept.add(service.ExtractResponse.FromString(event))
        if most_checkpoints and kept.checkpoints - start == most_checkpoints:
            call.cancel()
            break
    return events
