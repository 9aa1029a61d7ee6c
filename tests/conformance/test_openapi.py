"""The fake's answers have the form that Intercom's OpenAPI file gives them.

Where the fake differs on purpose, differences.yaml says so and why; a difference that is
not listed fails, and so does a listed one that no longer occurs.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi import ERRORS, Checker, Difference

from programs import Answer, Fake, running_fake

DIFFERENCES_FILE = Path(__file__).parent / "differences.yaml"

# How an event summary is asked for, but for whose it is.
SUMMARY = {"type": "user", "summary": "true"}


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
        answer = fake.request("POST", "/companies/list", query={"page": number, "per_page": 60})
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
    after_1970 = {
        "operator": "AND",
        "value": [{"field": "updated_at", "operator": ">", "value": 0}],
    }
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
            yield fake.get("/events", intercom_user_id=each, **SUMMARY)
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


@functools.cache
def listed() -> frozenset[Difference]:
    """What differences.yaml allows, one by one."""
    entries = yaml.safe_load(DIFFERENCES_FILE.read_text(encoding="utf-8"))
    found = [
        Difference(endpoint, record + path, differs)
        for entry in entries
        for endpoint, record in entry["endpoints"].items()
        for path in entry["paths"]
        for differs in entry["differs"]
    ]
    twice = {each for each in found if found.count(each) > 1}
    assert not twice, f"listed twice: {twice}"
    return frozenset(found)


def assert_as_listed(found: set[Difference], endpoint: str) -> None:
    allowed = {each for each in listed() if each.endpoint == endpoint}
    lines = [f"not listed: {each.path}: {each.differs}" for each in sorted(found - allowed)]
    lines += [f"no longer occurs: {each.path}: {each.differs}" for each in sorted(allowed - found)]
    assert not lines, f"{endpoint}, against {DIFFERENCES_FILE.name}:\n" + "\n".join(lines)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_answers_fit_their_schema(fake: Fake, endpoint: str) -> None:
    checker = Checker(endpoint)
    found: set[Difference] = set()
    answers = 0
    for answer in answers_of(fake, endpoint):
        found |= checker.differences(answer)
        answers += 1
    assert answers
    assert_as_listed(found, endpoint)


def test_every_listed_difference_is_of_a_tested_endpoint() -> None:
    assert {each.endpoint for each in listed()} <= {*ENDPOINTS, ERRORS}


def test_every_listed_difference_has_a_source() -> None:
    entries = yaml.safe_load(DIFFERENCES_FILE.read_text(encoding="utf-8"))
    assert all(entry["source"].strip() for entry in entries)


def wrong_token(fake: Fake) -> Answer:
    return fake.request("GET", "/contacts", token="wrong")


def bad_cursor(fake: Fake) -> Answer:
    return fake.request("GET", "/contacts", query={"starting_after": "nonsense"})


def bad_search(fake: Fake) -> Answer:
    return fake.request(
        "POST", "/contacts/search", {"query": {"field": "no such", "operator": "="}}
    )


def bad_json(fake: Fake) -> Answer:
    return fake.request("POST", "/contacts/search", b"{")


def too_large_page(fake: Fake) -> Answer:
    return fake.request("POST", "/companies/list", query={"per_page": 61})


def beyond_ten_thousand(fake: Fake) -> Answer:
    return fake.request("POST", "/companies/list", query={"per_page": 60, "page": 167})


def second_scroll(fake: Fake) -> Answer:
    page = fake.get("/companies/scroll")
    answer = fake.request("GET", "/companies/scroll")
    while page["data"]:
        page = fake.get("/companies/scroll", scroll_param=page["scroll_param"])
    return answer


def unknown_scroll(fake: Fake) -> Answer:
    return fake.request("GET", "/companies/scroll", query={"scroll_param": "nonsense"})


def unknown_version(fake: Fake) -> Answer:
    return fake.request("GET", "/admins", headers={"Intercom-Version": "3.1"})


# No contact of the fake has it.
UNKNOWN_CONTACT = "ffffffffffffffffffffffff"

ERROR_CASES = [
    ("GET /contacts 401", "unauthorized", wrong_token),
    ("GET /contacts 400", "client_error", bad_cursor),
    ("POST /contacts/search 400", "parameter_invalid", bad_search),
    ("POST /contacts/search 400", "parameter_invalid", bad_json),
    ("POST /companies/list 400", "parameter_invalid", too_large_page),
    ("POST /companies/list 400", "bad_request", beyond_ten_thousand),
    ("GET /companies/scroll 400", "scroll_exists", second_scroll),
    ("GET /companies/scroll 404", "not_found", unknown_scroll),
    ("GET /admins 400", "intercom_version_invalid", unknown_version),
    *(
        (
            f"GET /contacts/{{contact_id}}/{part} 404",
            "not_found",
            lambda fake, part=part: fake.request("GET", f"/contacts/{UNKNOWN_CONTACT}/{part}"),
        )
        for part in ("tags", "segments", "companies", "notes")
    ),
    (
        "GET /conversations/{conversation_id} 404",
        "not_found",
        lambda fake: fake.request("GET", "/conversations/1"),
    ),
    (
        "GET /events 404",
        "not_found",
        lambda fake: fake.request(
            "GET", "/events", query={"intercom_user_id": UNKNOWN_CONTACT} | SUMMARY
        ),
    ),
]


def assert_error(answer: Answer, name: str, code: str) -> None:
    endpoint, status = name.rsplit(" ", 1)
    assert answer.status == int(status), answer
    assert answer.json["type"] == "error.list"
    assert [error["code"] for error in answer.json["errors"]] == [code]
    assert_as_listed(Checker(endpoint, int(status)).differences(answer.json), ERRORS)


@pytest.mark.parametrize(
    ("name", "code", "ask"), ERROR_CASES, ids=[f"{name} {code}" for name, code, _ in ERROR_CASES]
)
def test_errors_fit_their_schema(
    fake: Fake, name: str, code: str, ask: Callable[[Fake], Answer]
) -> None:
    assert_error(ask(fake), name, code)


def test_every_endpoint_refuses_a_wrong_token(fake: Fake) -> None:
    for endpoint in ENDPOINTS:
        method, path = endpoint.split()
        path = path.replace("{contact_id}", UNKNOWN_CONTACT).replace("{conversation_id}", "1")
        body: Any = {} if method == "POST" else None
        answer = fake.request(method, path, body, token="wrong")
        assert_error(answer, f"{endpoint} 401", "unauthorized")
        # "Not sent when the request has no valid credentials", says the page on rate limiting.
        assert not any(header.lower().startswith("x-ratelimit") for header in answer.headers)


def test_a_spent_quota_answers_429_with_the_headers(tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", "--users=1", "--quota=2/1h") as fake:
        answers = [fake.request("GET", "/tags") for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        remaining = [answer.headers["X-RateLimit-Remaining"] for answer in answers]
        assert remaining == ["1", "0", "0"]
        assert all(answer.headers["X-RateLimit-Limit"] == "2" for answer in answers)
        assert all(answer.headers["X-RateLimit-Reset"].isdigit() for answer in answers)
        assert_error(answers[2], "GET /tags 429", "rate_limit_exceeded")


def test_what_the_schema_cannot_say_is_found() -> None:
    """The checker itself: each kind of difference, and none where there is none."""
    checker = Checker("GET /tags")
    assert checker.differences({"type": "list", "data": [{"type": "tag", "id": "1"}]}) == set()
    wrong = {"type": "lists", "data": [{"id": 1, "nmae": "x"}, {"id": "2"}], "more": 1}
    assert {(each.path, each.differs) for each in checker.differences(wrong)} == {
        ("$.type", "'lists' is not one of the enum"),
        ("$.data[].id", "integer, want string"),
        ("$.data[].nmae", "undeclared"),
        ("$.more", "undeclared"),
    }
    errors = Checker("GET /tags", 401)
    assert {(each.path, each.differs) for each in errors.differences({"type": "error.list"})} == {
        ("$.errors", "absent, required")
    }
