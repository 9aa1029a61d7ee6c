"""Privacy rules and listed columns before a database: it never gets what the rules are about."""

from pathlib import Path

from postgres import PASSWORD, running_postgres
from treated import HASH_KEY, hashed, planted, yaml_rules
from workspaces import SMALL
from writer import COMPLETE

from programs import Run, run_command_line, running_fake, write_expected
from tables import TABLES, read_rows

VARIABLES = {"PGPASSWORD": PASSWORD, "PRIVACY_HASH_KEY": HASH_KEY}


def test_a_database_has_what_the_rules_and_the_columns_leave(tmp_path: Path) -> None:
    folder = write_expected(tmp_path / "expected", *SMALL)
    expected = {table: read_rows(folder / f"{table}.csv") for table in TABLES}
    with running_postgres() as postgres, running_fake(tmp_path / "log", *SMALL) as fake:
        config = tmp_path / "server.yaml"
        config.write_text(
            f"connections:\n  - name: default\n    base_url: {fake.base_url}\n"
            f"    access_token_env: INTERCOM_ACCESS_TOKEN\n{yaml_rules()}"
        )

        def extract(schema: str, *arguments: str) -> Run:
            where = ("--config", config, "--sink", postgres.url(schema))
            return run_command_line("extract", *where, *arguments, **VARIABLES)

        assert (run := extract("private", "--template", "all")).exit_code == COMPLETE, run
        everything = ""
        for table in TABLES:
            rows = postgres.query(f"SELECT t::text AS row FROM private.{table} t")
            assert len(rows) == len(expected[table]), table
            everything += "\n".join(row["row"] or "" for row in rows).replace('""', '"')
        texts = planted(expected)
        assert len(texts) > 100
        assert [text for text in texts if text in everything] == []
        # The database joins by hashes what the texts would have joined.
        emails = [
            {row["email"] for row in expected[table] if row["email"] is not None}
            for table in ("users", "leads", "admins")
        ]
        joined = postgres.query(
            "SELECT DISTINCT email FROM private.users WHERE email IS NOT NULL UNION "
            "SELECT email FROM private.leads WHERE email IS NOT NULL UNION "
            "SELECT email FROM private.admins WHERE email IS NOT NULL"
        )
        assert {row["email"] for row in joined} == {hashed(email) for email in set.union(*emails)}

        run = extract("few", "--tables", "users,tags", "--columns", "users.created_at,tags.*")
        assert run.exit_code == COMPLETE, run
        few = postgres.query(
            "SELECT count(*) AS n, count(id) AS id, count(created_at) AS at, "
            "count(phone) + count(email) + count(name) AS other FROM few.users"
        )
        users = str(len(expected["users"]))
        dated = str(sum(row["created_at"] is not None for row in expected["users"]))
        assert few == [{"n": users, "id": users, "at": dated, "other": "0"}]
