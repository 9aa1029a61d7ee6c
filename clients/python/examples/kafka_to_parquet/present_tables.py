"""What the topics say so far, by key, with the offsets that it covers: an SQLite file.

Records come in any order between topics, and a part of a transaction may come later than the rest.
So nothing that was read is thrown away: which rows are gone is found anew from all rows and events,
by the rules of docs/sinks.md.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from intercom_extractor.v1.extractor_service_pb2 import TableDescription

# Another one: other tables in the file.
FORMAT = "1"

Partition = tuple[str, int]


class StateError(Exception):
    """The file is not one that can go on."""


@dataclass(frozen=True)
class Owners:
    """What rows of a table belong to, by their names; empty where they belong to none."""

    column: str = ""  # Of the row: the id of the row above.
    above: str = ""
    root: str = ""  # The record at the top; `above` where there is nothing in between.


def owners(tables: Iterable[TableDescription]) -> dict[str, Owners]:
    by_name = {table.table.name: table for table in tables}
    found = {}
    for name, table in by_name.items():
        above = table.table.parent
        column = next(
            (c.name for c in table.columns if above and f"{above}.id" in c.column.references), ""
        )
        root = by_name[above].table.parent or above if above else ""
        found[name] = Owners(column, above, root)
    return found


@dataclass
class Read:
    """Records to keep, and how far that is."""

    # By table: workspace, key, run, generation, id of the row above, value.
    rows: dict[str, list[tuple[str, str, int, int, str | None, bytes | None]]] = field(
        default_factory=dict
    )
    # Workspace, event, table, id, run, generation, whole.
    events: list[tuple[str, str, str, str, int, int, bool]] = field(default_factory=list)
    offsets: dict[Partition, int] = field(default_factory=dict)


class PresentTables:
    def __init__(self, path: Path, tables: Iterable[TableDescription]) -> None:
        self._owners = owners(tables)
        # Only one thread; transactions begin and end where the code says so.
        self._database = sqlite3.connect(path, isolation_level=None)
        run = self._database.execute
        # Values of some kB then fit into a page beside others.
        run("PRAGMA page_size = 16384")
        # A commit survives the process at once, and the machine once the next checkpoint of the
        # log has come: rows and offsets are lost together, and read again.
        run("PRAGMA journal_mode = wal")
        run("PRAGMA synchronous = normal")
        run("PRAGMA cache_size = -65536")
        run("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT)")
        run(
            "CREATE TABLE IF NOT EXISTS offsets "
            "(topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition))"
        )
        run(
            "CREATE TABLE IF NOT EXISTS events (workspace TEXT, event TEXT, about TEXT, id TEXT, "
            "run INTEGER, generation INTEGER, whole INTEGER, "
            "PRIMARY KEY (workspace, event, about, id)) WITHOUT ROWID"
        )
        # Tables that a snapshot does not have as they are.
        run("CREATE TABLE IF NOT EXISTS touched (name TEXT PRIMARY KEY)")
        for name in self._owners:
            run(
                f'CREATE TABLE IF NOT EXISTS "rows_{name}" (workspace TEXT, key TEXT, '
                "run INTEGER, generation INTEGER, above TEXT, value BLOB, "
                "gone INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (workspace, key)) WITHOUT ROWID"
            )
        self.bind("format", FORMAT, "it was made by another release of this program")

    def close(self) -> None:
        self._database.close()

    def bind(self, name: str, value: str, why: str) -> None:
        """Keeps a fact; an error where the file already has another one of the name."""
        stored = self._database.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
        if stored is None:
            self._database.execute("INSERT INTO facts VALUES (?, ?)", [name, value])
        elif stored[0] != value:
            raise StateError(why)

    def offsets(self) -> dict[Partition, int]:
        return {
            (topic, partition): after
            for topic, partition, after in self._database.execute("SELECT * FROM offsets")
        }

    def write(self, read: Read) -> None:
        """Rows, events and offsets together, or nothing of them."""
        run, many = self._database.execute, self._database.executemany
        run("BEGIN IMMEDIATE")
        try:
            for table, rows in read.rows.items():
                many(
                    f'INSERT INTO "rows_{table}" VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO '
                    "UPDATE SET run = excluded.run, generation = excluded.generation, "
                    "above = excluded.above, value = excluded.value "
                    "WHERE (excluded.run, excluded.generation) >= (run, generation)",
                    rows,
                )
            many(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "run = excluded.run, generation = excluded.generation, whole = excluded.whole "
                "WHERE (excluded.run, excluded.generation) >= (run, generation)",
                read.events,
            )
            touched = {*read.rows, *(event[2] for event in read.events)}
            many("INSERT OR IGNORE INTO touched VALUES (?)", [[name] for name in touched])
            many(
                "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)",
                [(*at, after) for at, after in read.offsets.items()],
            )
            run("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                run("ROLLBACK")
            raise

    def find_gone(self) -> list[str]:
        """Tables that may differ from those of the last snapshot, their rows judged anew."""
        touched = {name for (name,) in self._database.execute("SELECT name FROM touched")}
        stale = [
            name
            for name, owner in self._owners.items()
            if touched & {name, owner.above, owner.root}
        ]
        for name in stale:
            gone = self._gone(name)
            self._database.execute(
                f'UPDATE "rows_{name}" AS r SET gone = NOT gone WHERE gone IS NOT ({gone})'
            )
        return stale

    def _gone(self, table: str) -> str:
        """Whether a row `r` of the table is there no more."""
        owner = self._owners[table]
        earlier = "(r.run, r.generation) < (e.run, e.generation)"

        def said(event: str, about: str, more: str) -> str:
            return (
                "EXISTS (SELECT 1 FROM events e WHERE e.workspace = r.workspace "
                f"AND e.event = '{event}' AND e.about = '{about}' AND {more})"
            )

        def lost(about: str, id: str, more: str) -> str:
            """All living have come, and the record is none of them."""
            return said(
                "listed",
                about,
                f"{more} AND NOT EXISTS (SELECT 1 FROM events l WHERE l.workspace = r.workspace "
                f"AND l.event = 'living' AND l.about = '{about}' AND l.id = {id} "
                "AND l.run >= e.run)",
            )

        rules = [
            "r.value IS NULL",
            said("whole", table, earlier),
            # The id of this event is the run.
            said("restarted", table, f"e.id = CAST(r.run AS TEXT) AND e.whole AND {earlier}"),
            said("deleted", table, "e.id = r.key AND r.run <= e.run"),
            lost(table, "r.key", earlier),
        ]
        if owner.root:
            root = "r.above"
            if owner.root != owner.above:
                root = (
                    f'(SELECT p.above FROM "rows_{owner.above}" p '
                    "WHERE p.workspace = r.workspace AND p.key = r.above)"
                )
            record = (
                f'SELECT 1 FROM "rows_{owner.root}" o WHERE o.workspace = r.workspace '
                f"AND o.key = {root}"
            )
            rules += [
                said("parent", table, f"e.id = {root} AND {earlier}"),
                said("deleted", owner.root, f"e.id = {root} AND r.run <= e.run"),
                lost(
                    owner.root,
                    root,
                    f"EXISTS ({record} AND (o.run, o.generation) < (e.run, e.generation) "
                    "AND r.run <= o.run)",
                ),
            ]
        return " OR ".join(f"({rule})" for rule in rules)

    def values(self, table: str) -> Iterator[tuple[str, bytes]]:
        """Workspaces and values of the rows that are there, in the order of their keys."""
        yield from self._database.execute(
            f'SELECT workspace, value FROM "rows_{table}" WHERE NOT gone ORDER BY workspace, key'
        )

    def all_are_written(self) -> None:
        """A snapshot has all tables as they are."""
        self._database.execute("DELETE FROM touched")
