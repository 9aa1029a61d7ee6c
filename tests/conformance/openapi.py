"""Checks JSON answers against the schemas of Intercom's OpenAPI file."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import yaml

from programs import ROOT

OPENAPI_FILE = ROOT / "tests/testdata/intercom-openapi-2.16.yaml"
ERROR_SCHEMA = {"$ref": "#/components/schemas/error"}
# Keywords whose value is a schema, a list of schemas, or schemas by name.
ONE_SCHEMA = {"items", "not", "additionalProperties"}
LISTS_OF_SCHEMAS = {"allOf", "anyOf", "oneOf"}
PLAIN_KEYWORDS = {"type", "enum", "required", "minimum", "maximum", "pattern", "format"}
PLAIN_KEYWORDS |= {"minItems", "maxItems", "minLength", "maxLength", "uniqueItems"}
# Not date-time: Intercom's file writes it on integers, too, which JSON Schema ignores.
FORMATS = jsonschema.FormatChecker(["uuid"])
# Stands for the endpoint of every answer that is an error.
ERRORS = "errors"


@functools.cache
def _description() -> dict[str, Any]:
    with OPENAPI_FILE.open(encoding="utf-8") as file:
        content: dict[str, Any] = yaml.load(
            file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )
        return content


def to_json_schema(schema: Any) -> Any:
    """Translates an OpenAPI 3.0 schema: JSON Schema has a type "null", not `nullable`.

    OpenAPI ignores what stands beside `$ref`; `nullable` there is honoured all the same,
    since that is what the file's authors meant.
    """
    if not isinstance(schema, dict):
        return schema
    translated: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "$ref":
            translated["$ref"] = value
        elif keyword == "properties":
            translated[keyword] = {name: to_json_schema(each) for name, each in value.items()}
        elif keyword in LISTS_OF_SCHEMAS:
            translated[keyword] = [to_json_schema(each) for each in value]
        elif keyword in ONE_SCHEMA:
            translated[keyword] = to_json_schema(value)
        elif keyword in PLAIN_KEYWORDS:
            translated[keyword] = value
    if not schema.get("nullable"):
        return translated
    if set(translated) <= {"type", "format"}:
        return {**translated, "type": [translated["type"], "null"]} if translated else {}
    return {"anyOf": [{"type": "null"}, translated]}


@functools.cache
def _components() -> dict[str, Any]:
    schemas = _description()["components"]["schemas"]
    return {"schemas": {name: to_json_schema(schema) for name, schema in schemas.items()}}


def answer_schema(endpoint: str, status: int) -> dict[str, Any]:
    """The schema of an endpoint such as "GET /contacts/{contact_id}" for a status.

    Statuses that the file leaves out, such as 429, have its general error schema.
    """
    method, path = endpoint.split()
    answers = _description()["paths"][path][method.lower()]["responses"]
    if str(status) not in answers:
        assert status != 200, f"{endpoint} has no answer 200"
        return ERROR_SCHEMA
    schema = answers[str(status)]["content"]["application/json"]["schema"]
    translated: dict[str, Any] = to_json_schema(schema)
    return translated


@dataclass(frozen=True, order=True)
class Difference:
    endpoint: str
    path: str  # As in "$.data[].id": a place in all of the endpoint's answers.
    differs: str


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _place(path: Any) -> str:
    return "$" + "".join("[]" if isinstance(step, int) else f".{step}" for step in path)


def _wanted(schema: dict[str, Any]) -> str:
    """The types that a schema allows, for people."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    types = schema.get("type")
    if types:
        return " or ".join([types] if isinstance(types, str) else types)
    alternatives = schema.get("anyOf") or schema.get("oneOf") or []
    return " or ".join(dict.fromkeys(_wanted(each) for each in alternatives)) or "another object"


def _violations(endpoint: str, error: jsonschema.ValidationError) -> Iterator[Difference]:
    place = _place(error.absolute_path)
    instance: Any = error.instance
    wanted: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "required":
        for name in (name for name in wanted if name not in instance):
            yield Difference(endpoint, f"{place}.{name}", "absent, required")
    elif error.validator in {"anyOf", "oneOf"} and error.context:
        # With one alternative of the right type, what is wrong lies within it.
        inner = [each for each in error.context if each.validator != "type" or each.path]
        branches = {each.schema_path[0] for each in inner}
        if len(branches) == 1:
            for each in inner:
                yield from _violations(endpoint, each)
        else:
            differs = f"{_kind(instance)}, want {_wanted(schema)}"
            yield Difference(endpoint, place, differs)
    elif error.validator == "oneOf":
        yield Difference(endpoint, place, f"fits several of {_wanted(schema)}")
    elif error.validator == "type":
        yield Difference(endpoint, place, f"{_kind(instance)}, want {_wanted(schema)}")
    elif error.validator == "enum":
        # A value of another type is reported as such.
        if isinstance(instance, str):
            yield Difference(endpoint, place, f"{instance!r} is not one of the enum")
    elif error.validator == "format":
        yield Difference(endpoint, place, f"is no {wanted}")
    else:
        yield Difference(endpoint, place, f"breaks {error.validator} {wanted!r}")


class Checker:
    """Checks answers of one endpoint and status."""

    def __init__(self, endpoint: str, status: int = 200) -> None:
        self._endpoint = endpoint if status == 200 else ERRORS
        self._schema = answer_schema(endpoint, status)
        root = {**self._schema, "components": _components()}
        self._validator = jsonschema.Draft202012Validator(root, format_checker=FORMATS)

    def differences(self, answer: Any) -> set[Difference]:
        found = set(self._undeclared(answer, [self._schema], ()))
        for error in self._validator.iter_errors(answer):
            found.update(_violations(self._endpoint, error))
        return found

    def _undeclared(
        self, value: Any, schemas: list[Any], path: tuple[str | int, ...]
    ) -> Iterator[Difference]:
        """Properties that no schema for their object names.

        OpenAPI allows them, but a fake that invents fields misleads whoever reads it.
        """
        expanded = list(self._expanded(schemas))
        if isinstance(value, list):
            items = [schema["items"] for schema in expanded if "items" in schema]
            if items:
                for index, each in enumerate(value):
                    yield from self._undeclared(each, items, (*path, index))
        elif isinstance(value, dict):
            with_properties = [schema for schema in expanded if "properties" in schema]
            if any(schema.get("additionalProperties") for schema in expanded):
                return
            if not with_properties:
                return
            for name, each in value.items():
                inner = [s["properties"][name] for s in with_properties if name in s["properties"]]
                if inner:
                    yield from self._undeclared(each, inner, (*path, name))
                else:
                    yield Difference(self._endpoint, _place((*path, name)), "undeclared")

    def _expanded(self, schemas: list[Any]) -> Iterator[dict[str, Any]]:
        """The schemas with references followed and all alternatives beside each other."""
        for schema in schemas:
            if "$ref" in schema:
                name = schema["$ref"].rsplit("/", 1)[1]
                yield from self._expanded([_components()["schemas"][name]])
            yield schema
            for keyword in LISTS_OF_SCHEMAS:
                yield from self._expanded(schema.get(keyword, []))
