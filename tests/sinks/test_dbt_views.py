"""The views that dbt_intercom reads, over a schema that the sink has filled."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from expected import columns_of, differences
from postgres import PASSWORD, USER, Postgres, running_postgres
from writer import COMPLETE, extract_into

from programs import ROOT, Fake, running_fake, write_expected
from tables import Row

SCRIPT = ROOT / "clients/sinks/postgres/views/dbt_intercom.sql"
PAGE = ROOT / "docs/dbt.md"
# Nothing of the package itself: the names of the columns that version 1.6.1 reads, the types that
# its joins and sums want of them, and one more column for its pass-through variables.
EXPECTED_COLUMNS = Path(__file__).with_name("dbt_intercom_columns.tsv")
TABLES, VIEWS = "intercom", "intercom_dbt"
WORKSPACE = ("--users=60", "--leads=25", "--companies=40", "--conversations=60")
FOREVER = "9999-12-31 23:59:59.999+00"


@dataclass(frozen=True)
class Source:
    """One table of a view."""

    table: str
    # Columns by the view's columns, where the names differ.
    renamed: dict[str, str] = field(default_factory=dict)
    values: Row = field(default_factory=dict)
    # Of a child: its parent's table and the column that refers to that.
    parent: str = ""
    reference: str = ""
    only: str = ""


def _links(table: str, contact: str, other: str) -> Source:
    parent = table.split("_")[0]
    names = {contact: f"{parent}_pk", other: "id"}
    return Source(table, names, parent=parent, reference=f"{parent}_pk")


SOURCES = {
    "admin": [Source("admins", only="admin")],
    "team": [Source("admins", only="team")],
    "tag": [Source("tags")],
    "company_history": [Source("companies", {"plan_name": "plan"})],
    "contact_history": [
        Source("users", {"admin_id": "owner_id"}, {"role": "user"}),
        Source("leads", {"admin_id": "owner_id"}, {"role": "lead"}),
    ],
    "contact_tag_history": [
        _links("users_tags", "contact_id", "tag_id"),
        _links("leads_tags", "contact_id", "tag_id"),
    ],
    "contact_company_history": [
        _links("users_companies", "contact_id", "company_id"),
        _links("leads_companies", "contact_id", "company_id"),
    ],
    "conversation_history": [
        Source(
            "conversations",
            {
                "source_author_id": "conversation_message_author_id",
                "source_author_type": "conversation_message_author_type",
                "source_body": "conversation_message_body",
                "source_subject": "conversation_message_subject",
            },
        )
    ],
    "conversation_part_history": [
        Source(
            "conversation_parts",
            {"conversation_id": "conversations_pk"},
            parent="conversations",
            reference="conversations_pk",
        )
    ],
    "conversation_tag_history": [_links("conversations_tags", "conversation_id", "tag_id")],
    "conversation_contact_history": [
        _links("conversations_customers", "conversation_id", "contact_id")
    ],
}
EMPTY = {
    "article_history": "intercom__using_articles",
    "collection_history": "intercom__using_articles",
    "help_center_history": "intercom__using_articles",
    "company_tag_history": "intercom__using_company_tags",
    "team_admin": "intercom__using_team",
}


def _psql(
    postgres: Postgres, *arguments: str, user: str = USER
) -> subprocess.CompletedProcess[str]:
    command = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", user]
    command += ["-d", "postgres", *arguments]
    environment = {**os.environ, "PGPASSWORD": PASSWORD}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def _make_views(postgres: Postgres, *variables: str) -> subprocess.CompletedProcess[str]:
    """As the role of the sink."""
    flags = [flag for variable in variables for flag in ("-v", variable)]
    return _psql(postgres, *flags, "-f", str(SCRIPT))


class Filled(NamedTuple):
    postgres: Postgres
    fake: Fake
    expected: Path

    def rows(self, table: str, schema: str = TABLES) -> list[Row]:
        return self.postgres.query(f"SELECT * FROM {schema}.{table}")

    def count(self, relation: str, condition: str = "true") -> int:
        sql = f"SELECT count(*) AS n FROM {relation} WHERE {condition}"
        return int(self.postgres.query(sql)[0]["n"] or 0)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("dbt")
    expected = write_expected(folder / "expected", *WORKSPACE)
    with running_postgres() as postgres, running_fake(folder / "log", *WORKSPACE) as fake:
        run = extract_into(fake.base_url, postgres.url(TABLES))
        assert run.exit_code == COMPLETE, run
        assert differences(postgres, TABLES, expected) == []
        made = _make_views(postgres)
        assert (made.returncode, made.stderr, made.stdout) == (0, "", "")
        yield Filled(postgres, fake, expected)


def _expected_columns() -> dict[str, dict[str, str]]:
    views: dict[str, dict[str, str]] = {}
    for line in EXPECTED_COLUMNS.read_text(encoding="utf-8").splitlines()[1:]:
        view, column, kind = line.split("\t")
        views.setdefault(view, {})[column] = kind
    return views


def _reasons(filled: Filled, start: str) -> dict[tuple[str, str], str]:
    """What comments on views (with no column) and columns say after `start`."""
    rows = filled.postgres.query(
        "SELECT c.relname AS view, a.attname AS name, d.description AS comment"
        " FROM pg_description d JOIN pg_class c ON c.oid = d.objoid"
        " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0"
        f" WHERE c.relnamespace = '{VIEWS}'::regnamespace"
    )
    found = {(row["view"] or "", row["name"] or ""): row["comment"] or "" for row in rows}
    return {key: text.removeprefix(start) for key, text in found.items() if text.startswith(start)}


def test_each_view_has_the_columns_and_types_that_the_package_reads(filled: Filled) -> None:
    names = filled.postgres.query(
        f"SELECT relname FROM pg_class WHERE relnamespace = '{VIEWS}'::regnamespace"
    )
    wanted = _expected_columns()
    assert {row["relname"] for row in names} == {*wanted, "_synced"}
    assert {view: columns_of(filled.postgres, VIEWS, view) for view in wanted} == wanted
    assert {*SOURCES, *EMPTY} == {*wanted}


@pytest.mark.parametrize("view", SOURCES)
def test_each_view_has_the_rows_and_values_of_its_tables(filled: Filled, view: str) -> None:
    nulls = {column for name, column in _reasons(filled, "Always null: ") if name == view}
    states = filled.rows("_intercom_state")
    assert len(states) == 1
    columns = _expected_columns()[view]
    wanted = []
    for source in SOURCES[view]:
        parents = {row["id"]: row for row in filled.rows(source.parent or "users")}
        for row in filled.rows(source.table):
            if source.only and row["type"] != source.only:
                continue
            parent = parents[row[source.reference]] if source.parent else {}
            cells: Row = dict.fromkeys(nulls)
            for name in columns.keys() - nulls:
                if name.endswith("_updated_at"):
                    cells[name] = parent["updated_at"]
                elif not name.startswith("_fivetran") and name not in source.values:
                    cells[name] = row[source.renamed.get(name, name)]
            if cells.get("assignee_type") == "nobody_admin":
                cells["assignee_type"] = None
            cells |= source.values | {"_fivetran_synced": states[0]["updated_at"]}
            if "_fivetran_active" in columns:
                began = row["updated_at"] if "updated_at" in row else parent["updated_at"]
                cells |= {"_fivetran_active": "t", "_fivetran_start": began}
                cells |= {"_fivetran_end": FOREVER}
            else:
                cells["_fivetran_deleted"] = "f"
            wanted.append(cells)
    assert len(wanted) > 1

    def ordered(rows: list[Row]) -> list[list[tuple[str, str]]]:
        return sorted(sorted((name, repr(cell)) for name, cell in row.items()) for row in rows)

    assert ordered(filled.rows(view, VIEWS)) == ordered(wanted)


def test_only_columns_that_say_so_are_always_null(filled: Filled) -> None:
    found = set()
    for view in SOURCES:
        rows = filled.rows(view, VIEWS)
        for column in rows[0]:
            if all(row[column] is None for row in rows):
                found.add((view, column))
    assert found == set(_reasons(filled, "Always null: "))


def test_only_views_that_say_so_are_always_empty(filled: Filled) -> None:
    empty = {view for view in _expected_columns() if not filled.rows(view, VIEWS)}
    assert empty == {view for view, _ in _reasons(filled, "Always empty: ")}
    assert empty == set(EMPTY)


def test_the_page_lists_what_is_missing_with_the_views_own_reasons(filled: Filled) -> None:
    nulls: dict[tuple[str, str], str] = {}
    empty: dict[tuple[str, str], str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 3:
            continue
        view, *names = re.findall(r"`(\w+)(?:: false)?`", line)
        if cells[1].startswith("all"):
            empty[view, ""] = cells[2]
            assert names == [EMPTY[view]], line
        else:
            nulls.update({(view, name): cells[2] for name in names})
    assert nulls == _reasons(filled, "Always null: ")
    assert empty == _reasons(filled, "Always empty: ")


# What the package's models ask, in other words.
ENHANCED = """
SELECT
  c.id,
  (SELECT a.name FROM intercom_dbt.admin a
    WHERE a.id = c.assignee_id AND c.assignee_type = 'admin') AS assignee,
  array_to_string(ARRAY(SELECT DISTINCT t.name COLLATE "C"
    FROM intercom_dbt.conversation_tag_history l JOIN intercom_dbt.tag t ON t.id = l.tag_id
    WHERE l.conversation_id = c.id ORDER BY 1), ', ') AS tags,
  (SELECT p.author_id FROM intercom_dbt.conversation_part_history p
    WHERE p.conversation_id = c.id AND p.part_type = 'close' AND p.author_type = 'admin'
    ORDER BY p.created_at DESC, p.id DESC LIMIT 1) AS last_close_by,
  (SELECT t.name FROM intercom_dbt.conversation_part_history p
    JOIN intercom_dbt.team t ON t.id = p.assigned_to_id
    WHERE p.conversation_id = c.id AND p.assigned_to_type = 'team'
    ORDER BY p.created_at, p.id LIMIT 1) AS first_team,
  (SELECT count(*) FROM intercom_dbt.conversation_part_history p
    WHERE p.conversation_id = c.id AND p._fivetran_active) AS parts,
  (SELECT round(extract(epoch FROM min(p.created_at) - c.created_at) / 60, 2)
    FROM intercom_dbt.conversation_part_history p
    WHERE p.conversation_id = c.id AND p.part_type = 'comment' AND p.author_type = 'admin'
  ) AS minutes_to_response,
  array_to_string(ARRAY(SELECT DISTINCT k.role || ' ' || k.id COLLATE "C"
    FROM intercom_dbt.conversation_contact_history l
    JOIN intercom_dbt.contact_history k ON k.id = l.contact_id
    WHERE l.conversation_id = c.id ORDER BY 1), ', ') AS contacts,
  (SELECT count(DISTINCT o.id) FROM intercom_dbt.conversation_contact_history l
    JOIN intercom_dbt.contact_company_history m ON m.contact_id = l.contact_id
    JOIN intercom_dbt.company_history o ON o.id = m.company_id
    WHERE l.conversation_id = c.id) AS companies
FROM intercom_dbt.conversation_history c WHERE c._fivetran_active
"""


def test_the_views_join_as_the_models_of_the_package_join_them(filled: Filled) -> None:
    conversations = filled.postgres.query(
        "SELECT *, extract(epoch FROM created_at) AS began FROM intercom.conversations"
    )
    all_parts = filled.postgres.query(
        "SELECT *, extract(epoch FROM created_at) AS at FROM intercom.conversation_parts"
    )
    names = {(row["type"], row["id"]): row["name"] for row in filled.rows("admins")}
    tags = {row["id"]: row["name"] for row in filled.rows("tags")}
    companies = {row["id"] for row in filled.rows("companies")}
    roles = {row["id"]: "user" for row in filled.rows("users")}
    roles |= {row["id"]: "lead" for row in filled.rows("leads")}
    tagged, customers = filled.rows("conversations_tags"), filled.rows("conversations_customers")
    of_contacts = [(row["users_pk"], row["id"]) for row in filled.rows("users_companies")]
    of_contacts += [(row["leads_pk"], row["id"]) for row in filled.rows("leads_companies")]
    wanted: dict[str | None, Row] = {}
    for row in conversations:
        parts = [part for part in all_parts if part["conversations_pk"] == row["id"]]
        parts.sort(key=lambda part: (float(part["at"] or 0), part["id"] or ""))
        mine = {tags[link["id"]] for link in tagged if link["conversations_pk"] == row["id"]}
        closes = [p for p in parts if (p["part_type"], p["author_type"]) == ("close", "admin")]
        teams = [
            names["team", p["assigned_to_id"]] for p in parts if p["assigned_to_type"] == "team"
        ]
        replies = [p for p in parts if (p["part_type"], p["author_type"]) == ("comment", "admin")]
        waited = replies and (float(replies[0]["at"] or 0) - float(row["began"] or 0)) / 60
        people = {
            link["id"]
            for link in customers
            if link["conversations_pk"] == row["id"] and link["id"] in roles
        }
        theirs = {company for person, company in of_contacts if person in people} & companies
        wanted[row["id"]] = {
            "id": row["id"],
            "assignee": names["admin", row["assignee_id"]]
            if row["assignee_type"] == "admin"
            else None,
            "tags": ", ".join(sorted(name for name in mine if name is not None)),
            "last_close_by": closes[-1]["author_id"] if closes else None,
            "first_team": teams[0] if teams else None,
            "parts": str(len(parts)),
            "minutes_to_response": f"{waited:.2f}" if replies else None,
            "contacts": ", ".join(sorted(f"{roles[person]} {person}" for person in people)),
            "companies": str(len(theirs)),
        }
    assert {row["id"]: row for row in filled.postgres.query(ENHANCED)} == wanted
    for column in ("assignee", "tags", "last_close_by", "first_team", "contacts"):
        assert any(row[column] for row in wanted.values()), f"nothing is tried of {column}"
    assert any(row["companies"] != "0" for row in wanted.values())


def test_a_lead_that_became_a_user_is_one_contact(filled: Filled) -> None:
    views = ("contact_history", "contact_tag_history", "contact_company_history")
    before = [filled.count(f"{VIEWS}.{view}") for view in views]
    filled.postgres.run(
        "INSERT INTO intercom.leads (id, name) SELECT id, 'as a lead' FROM intercom.users LIMIT 1;"
        "INSERT INTO intercom.leads_tags (leads_pk, id) SELECT id, 't' FROM intercom.users LIMIT 1;"
        "INSERT INTO intercom.leads_companies (leads_pk, id)"
        " SELECT id, 'c' FROM intercom.users LIMIT 1"
    )
    try:
        assert [filled.count(f"{VIEWS}.{view}") for view in views] == before
    finally:
        filled.postgres.run(
            "DELETE FROM intercom.leads WHERE name = 'as a lead';"
            "DELETE FROM intercom.leads_tags WHERE id = 't';"
            "DELETE FROM intercom.leads_companies WHERE id = 'c'"
        )


def test_the_views_are_made_again_beneath_those_of_dbt_and_follow_the_next_run(
    filled: Filled,
) -> None:
    postgres = filled.postgres
    # May read the views, and nothing beneath them.
    postgres.add_role("dbt")
    postgres.run(
        f"GRANT USAGE ON SCHEMA {VIEWS} TO dbt;"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {VIEWS} TO dbt;"
        f"CREATE VIEW public.of_dbt AS SELECT * FROM {VIEWS}.tag"
    )
    made = _make_views(postgres)
    assert (made.returncode, made.stderr) == (0, "")
    for view in _expected_columns():
        read = _psql(postgres, "-c", f"SELECT * FROM {VIEWS}.{view}", user="dbt")
        assert read.returncode == 0, read.stderr
    before = postgres.query("SELECT min(_fivetran_synced) AS at FROM public.of_dbt")
    postgres.run("INSERT INTO intercom.tags (id, name) VALUES ('gone', 'x')")
    assert filled.count("public.of_dbt", "id = 'gone'") == 1
    # Takes locks on the tables and columns that views use, where it needs them.
    run = extract_into(filled.fake.base_url, postgres.url(TABLES))
    assert run.exit_code == COMPLETE, run
    assert filled.count("public.of_dbt", "id = 'gone'") == 0
    assert filled.count("public.of_dbt", f"_fivetran_synced > '{before[0]['at']}'") > 1
    assert differences(postgres, TABLES, filled.expected) == []


def test_both_schemas_may_have_any_name(filled: Filled) -> None:
    assert extract_into(filled.fake.base_url, filled.postgres.url("crm")).exit_code == COMPLETE
    made = _make_views(filled.postgres, "schema=crm", 'views=for "dbt" & it\'s')
    assert (made.returncode, made.stderr) == (0, "")
    assert filled.count('"for ""dbt"" & it\'s".tag') == filled.count("crm.tags")


def test_a_schema_that_lacks_tables_gets_no_views(filled: Filled) -> None:
    made = _make_views(filled.postgres, "schema=nothing", "views=none")
    assert made.returncode == 3
    assert 'relation "nothing._intercom_tables" does not exist' in made.stderr
    assert filled.count("pg_namespace", "nspname = 'none'") == 0
