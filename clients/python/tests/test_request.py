from datetime import UTC, datetime

import pytest

from intercom_extractor.request import extract_request, plan_request
from intercom_extractor.v1.annotations_pb2 import TEMPLATE_ALL, TEMPLATE_UNSPECIFIED


def test_without_names_all_tables_are_meant() -> None:
    assert extract_request("default").template == TEMPLATE_ALL
    assert extract_request("default", tables=["tags"]).template == TEMPLATE_UNSPECIFIED


def test_updated_since_takes_seconds_and_times_with_a_zone() -> None:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    request = extract_request("default", updated_since=time)
    assert request.updated_since.seconds == int(time.timestamp())
    assert request == extract_request("default", updated_since=int(time.timestamp()))
    with pytest.raises(ValueError, match="time zone"):
        extract_request("default", updated_since=datetime(2026, 1, 1))


def test_an_unknown_template_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="basic, conversations, all"):
        extract_request("default", template="everything")  # type: ignore[arg-type]


def test_a_plan_is_asked_for_the_same() -> None:
    request = extract_request(
        "eu", tables=["tags"], updated_since=5, find_deleted=True, body_format="html"
    )
    plan = plan_request(request)
    for field in plan.DESCRIPTOR.fields:
        assert getattr(plan, field.name) == getattr(request, field.name), field.name
