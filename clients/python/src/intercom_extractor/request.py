"""What a caller asks for, as the messages of the service."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from intercom_extractor.v1.annotations_pb2 import (
    TEMPLATE_ALL,
    TEMPLATE_BASIC,
    TEMPLATE_CONVERSATIONS,
    Template,
)
from intercom_extractor.v1.extractor_service_pb2 import (
    BODY_FORMAT_HTML,
    BODY_FORMAT_PLAINTEXT,
    BodyFormat,
    ExtractRequest,
    PlanExtractionRequest,
)

TemplateName = Literal["basic", "conversations", "all"]
BodyFormatName = Literal["plaintext", "html"]

TEMPLATES: dict[str, Template] = {
    "basic": TEMPLATE_BASIC,
    "conversations": TEMPLATE_CONVERSATIONS,
    "all": TEMPLATE_ALL,
}
_BODY_FORMATS: dict[str, BodyFormat] = {
    "plaintext": BODY_FORMAT_PLAINTEXT,
    "html": BODY_FORMAT_HTML,
}


def extract_request(
    connection: str,
    *,
    tables: Iterable[str] = (),
    template: TemplateName | None = None,
    updated_since: datetime | int | None = None,
    find_deleted: bool = False,
    body_format: BodyFormatName = "plaintext",
    with_parents: bool = False,
    resume_token: bytes = b"",
) -> ExtractRequest:
    """All tables where neither `tables` nor `template` names any."""
    if isinstance(tables, str):
        raise TypeError(f'tables is a list of names: ["{tables}"]')
    names = list(tables)
    request = ExtractRequest(
        connection=connection,
        template=_template(template, names),
        tables=names,
        body_format=_BODY_FORMATS[body_format],
        find_deleted=find_deleted,
        with_parents=with_parents,
        resume_token=resume_token,
    )
    if updated_since is not None:
        request.updated_since.FromSeconds(_seconds(updated_since))
    return request


def plan_request(request: ExtractRequest) -> PlanExtractionRequest:
    plan = PlanExtractionRequest(
        connection=request.connection,
        template=request.template,
        tables=request.tables,
        body_format=request.body_format,
        find_deleted=request.find_deleted,
    )
    if request.HasField("updated_since"):
        plan.updated_since.CopyFrom(request.updated_since)
    return plan


def _template(template: TemplateName | None, tables: list[str]) -> Template | None:
    if template is None:
        return None if tables else TEMPLATE_ALL
    if template not in TEMPLATES:
        raise ValueError(f"template is one of {', '.join(TEMPLATES)}, not {template!r}")
    return TEMPLATES[template]


def _seconds(time: datetime | int) -> int:
    if isinstance(time, int):
        return time
    if time.tzinfo is None:
        raise ValueError("updated_since needs a time zone, such as datetime.now(UTC)")
    return int(time.timestamp())
