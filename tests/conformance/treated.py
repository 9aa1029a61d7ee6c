"""Privacy rules as a configuration has them, and what they must make of expected rows: applied
here once more, slowly."""

import hashlib
import hmac
import json
from typing import Any

from tables import Cell, Row

HASH_KEY = "of-the-tests-16-bytes-and-more"

COLUMNS = {
    "*.email": "hash",
    "*.phone": "mask",
    "*.avatar_image_url": "leave_out",
    "*.user_agent_data": "leave_out",
    "users.name": "mask",
    "leads.name": "leave_out",
    "companies.name": "hash",
    "users.user_id": "hash",
    "leads.user_id": "hash",
    "notes.body": "leave_out",
    "conversations.conversation_message_subject": "mask",
    "conversations.conversation_message_body": "hash",
    "conversation_parts.body": "leave_out",
}
ATTRIBUTES = {"plan \u00e9": "mask", "logins": "leave_out", "paid": "hash", "team_mates": "hash"}


def yaml_rules(indent: int = 4) -> str:
    """The section of a connection; JSON is YAML."""
    space = " " * indent
    return (
        f"{space}privacy:\n{space}  hash_key_env: PRIVACY_HASH_KEY\n"
        f"{space}  columns: {json.dumps(COLUMNS)}\n"
        f"{space}  custom_attributes: {json.dumps(ATTRIBUTES, ensure_ascii=False)}\n"
    )


def hashed(text: str) -> str:
    return hmac.new(HASH_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def rule_of(table: str, column: str) -> str | None:
    return COLUMNS.get(f"{table}.{column}", COLUMNS.get(f"*.{column}"))


def _treat(text: str, rule: str) -> str:
    return hashed(text) if rule == "hash" else "[masked]"


class _AsWritten(str):
    """A number as its JSON text."""


def _attribute(value: Any, rule: str) -> Any:
    if value is None:
        return None
    if isinstance(value, bool):
        return _treat("true" if value else "false", rule)
    assert isinstance(value, str), value
    return _treat(value, rule)


def attributes(text: str) -> Any:
    """What a column of custom attributes holds, with numbers as they are written."""
    return json.loads(text, parse_int=_AsWritten, parse_float=_AsWritten)


def treated_attributes(text: str) -> Any:
    members = attributes(text)
    return {
        name: _attribute(value, ATTRIBUTES[name]) if name in ATTRIBUTES else value
        for name, value in members.items()
        if ATTRIBUTES.get(name) != "leave_out"
    }


def treated(table: str, row: Row) -> dict[str, Any]:
    """The row as it must leave the server; custom attributes as what they hold."""
    result: dict[str, Any] = {}
    for column, cell in row.items():
        rule = rule_of(table, column)
        if cell is None or rule == "leave_out":
            result[column] = None
        elif rule is not None:
            result[column] = _treat(cell, rule)
        elif column == "custom_attributes":
            result[column] = treated_attributes(cell)
        else:
            result[column] = cell
    return result


def comparable(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, default=str)


def with_attributes(row: Row) -> dict[str, Any]:
    """A row that was read, in the form of `treated`."""
    parsed: dict[str, Cell | Any] = dict(row)
    if row.get("custom_attributes") is not None:
        parsed["custom_attributes"] = attributes(row["custom_attributes"] or "")
    return parsed


def planted(tables: dict[str, list[Row]]) -> set[str]:
    """The texts that the rules are about and that stand nowhere else: in no row, once treated."""
    texts: set[str] = set()
    allowed: list[str] = []
    for table, rows in tables.items():
        for row in rows:
            for column, cell in row.items():
                if cell is None:
                    continue
                if rule_of(table, column) is not None:
                    texts.add(cell)
                elif column == "custom_attributes":
                    allowed.append(comparable(treated_attributes(cell)))
                else:
                    allowed.append(cell)
    everything = "\n".join(allowed)
    # Shorter ones are parts of ids and words of ours, too.
    return {text for text in texts if len(text) >= 8 and text not in everything}
