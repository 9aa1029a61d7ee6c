"""The fake's answers have the form that Intercom's OpenAPI file gives them.

Where the fake differs on purpose, differences.yaml says so and why; a difference that is
not listed fails, and so does a listed one that no longer occurs.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from openapi import Checker, Difference
from programs import Answer, Fake, running_fake

DIFFERENCES_FILE = Path(__file__).parent / "differences.yaml"


def contact_ids(fake: Fake) -> list[str]:
    return [contact["id"] for page in contact_pages(fake) for contact in page["data"]]


def contact_pages(fake: Fake) -> Iterator[Any]:
    page = fake.get("/contacts", per_page=150)
    yield page
    while page["pages"].get("next"):
        cursor = page["pages"]["next"]["starting_after"]
        page = fake.get("/contacts", per_page=150, starting_after=cursor)
        yield page


def conversation_pages(fake: Fake) -> Iterator[Any]:
    page = fake.get("/conversations", per_page=20)
    yield page
    while page["pages"].get("next"):
        cursor = page["pages"]["next"]["starting_after"]
        page = fake.get("/conversations", per_page=20, starting_after=cursor)
        yield page


def search_pages(fake: Fake, path: str, query: dict[str, Any]) -> Iterator[Any]:
    body: dict[str, Any] = {"query": query, "pagination": {"per_page": 50}}
    while True:
        answer = fake.request("POST", path, body)
        assert answer.status == 200, answer
        yield answer.json
        following = answer.json["pages"].get("next")
        if not following:
            return
        body["pagination"]["starting_after"] = following["starting_after"]


def scroll_pages(fake: Fake) -> Iterator[Any]:
    page = fake.get("/companies/scroll")
    yield page
    while page["data"]:
        page = fake.get("/companies/scroll", scroll_param=page["scroll_param"])
        yield page


def company_pages(fake: Fake) -> Iterator[Any]:
    number = 1
    while True:
        answer = fake.request("POST", "/companies/list", page=number, per_page=60)
        assert answer.status == 200, answer
        yield answer.json
        if answer.json["pages"]["next"] is None:
            return
        number += 1


def numbered_pages(fake: Fake, path: str) -> Iterator[Any]:
    number, total = 1, 1
    while number <= total:
        page = fake.get(path, page=number, per_page=50)
        yield page
        total, number = page["pages"]["total_pages"], number + 1


def answers_of(fake: Fake, endpoint: str) -> Iterator[Any]:
    """Everything that the default workspace gives at an endpoint."""
    after_1970 = {"operator": "AND", "value": [{"field": "updated_at", "operator": ">", "value": 0}]}
    if endpoint == "GET /contacts":
        yield from contact_pages(fake)
    elif endpoint == "POST /contacts/search":
        yield from search_pages(fake, "/contacts/search", after_1970)
    elif endpoint == "GET /contacts/{contact_id}/tags":
        yield from (fake.get(f"/contacts/{each}/tags") for each in contact_ids(fake))
    elif endpoint == "GET /contacts/{contact_id}/segments":
        yield from (fake.get(f"/contacts/{each}/segments") for each in contact_ids(fake))
    elif endpoint == "GET /contacts/{contact_id}/companies":
        for each in contact_ids(fake):
            yield from numbered_pages(fake, f"/contacts/{each}/companies")
    elif endpoint == "GET /contacts/{contact_id}/notes":
        for each in contact_ids(fake):
            yield from numbered_pages(fake, f"/contacts/{each}/notes")
    elif endpoint == "GET /events":
        for each in contact_ids(fake):
            yield fake.get("/events", type="user", intercom_user_id=each, summary="true")
    elif endpoint == "GET /companies/scroll":
        yield from scroll_pages(fake)
    elif endpoint == "POST /companies/list":
        yield from company_pages(fake)
    elif endpoint == "GET /segments":
        yield fake.get("/segments", include_count="true")
    elif endpoint == "GET /conversations":
        yield from conversation_pages(fake)
    elif endpoint == "POST /conversations/search":
        yield from search_pages(fake, "/conversations/search", after_1970)
    elif endpoint == "GET /conversations/{conversation_id}":
        for page in conversation_pages(fake):
            for conversation in page["conversations"]:
                yield fake.get(f"/conversations/{conversation['id']}", display_as="plaintext")
    else:
        yield fake.get(endpoint.split()[1])


ENDPOINTS = [
    "GET /me",
    "GET /contacts",
    "POST /contacts/search",
    "GET /contacts/{contact_id}/tags",
    "GET /contacts/{contact_id}/segments",
    "GET /contacts/{contact_id}/companies",
    "GET /contacts/{contact_id}/notes",
    "GET /events",
    "GET /companies/scroll",
    "POST /companies/list",
    "GET /admins",
    "GET /teams",
    "GET /tags",
    "GET /segments",
    "GET /conversations",
    "POST /conversations/search",
    "GET /conversations/{conversation_id}",
]


@dataclass(frozen=True)
class Listed:
    """An entry of differences.yaml: one difference at some endpoints."""

    endpoints: tuple[str, ...]
    paths: tuple[str, ...]
    differs: str
    source: str

    def differences(self) -> Iterator[Difference]:
        for endpoint in self.endpoints:
            for path in self.paths:
                yield Difference(endpoint, path, self.differs)


@functools.cache
def listed() -> frozenset[Difference]:
    content = yaml.safe_load(DIFFERENCES_FILE.read_text(encoding="utf-8"))
    found: list[Difference] = []
    for group in content["groups"]:
        for entry in group["differences"]:
            for differs, paths in entry.items():
                for endpoint, prefix in group["endpoints"].items():
                    found += [Difference(endpoint, prefix + path, differs) for path in paths]
    assert len(found) == len(set(found)), "a difference is listed twice"
    return frozenset(found)
