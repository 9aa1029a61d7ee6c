"""A PostgreSQL of a test's own."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from expected import differences

from process import free_port
from tables import Row, fields, raw_records

START_SECONDS = 60.0
# Fills schemas that it makes itself, and may do nothing else.
USER, PASSWORD = "etl", "hunter2"
# Whom the tests are.
ADMIN, ADMIN_PASSWORD = "admin", "hunter3"
# It refuses to run as root.
UNPRIVILEGED = "nobody"


def _programs() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    if not versions:
        raise RuntimeError("no PostgreSQL; apt-get install postgresql")
    return versions[-1]


class SqlError(Exception):
    """What psql said."""


class NoSmallDisk(Exception):
    """Only root may mount one, and not everywhere."""


class Postgres:
    """Runs until it is stopped; may be killed and started again with its data."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._data = folder / "data"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: list[str] = []
        account = pwd.getpwuid(os.geteuid())
        if os.geteuid() == 0:
            account = pwd.getpwnam(UNPRIVILEGED)
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._as_user = ["setpriv", f"--reuid={account.pw_uid}"]
            self._as_user += [f"--regid={account.pw_gid}", "--clear-groups", "--"]
        self.account = account
        password = folder / "password"
        password.write_text(ADMIN_PASSWORD)
        password.chmod(0o644)
        initdb: list[str | Path] = [
            *self._as_user,
            _programs() / "initdb",
            "-D",
            self._data,
            "-U",
            ADMIN,
        ]
        initdb += [f"--pwfile={password}", "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8"]
        subprocess.run(initdb, check=True, cwd=folder, capture_output=True)

    def url(self, schema: str = "intercom", user: str = USER, host: str = "127.0.0.1") -> str:
        return f"postgresql://{user}@{host}:{self.port}/postgres?schema={schema}"

    def start(self) -> None:
        self._launch()
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(SqlError):
                self.query("SELECT 1 AS one")
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)
            # It refuses while a process of the server that was killed is still ending.
            if self._process is not None and self._process.poll() is not None:
                self._launch()

    def _launch(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._as_user,
                    _programs() / "postgres",
                    "-D",
                    self._data,
                    "-p",
                    str(self.port),
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    f"unix_socket_directories={self._data}",
                ],
                cwd=self._data.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def add_role(self, name: str) -> None:
        self.run(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
        self.run(f"GRANT CREATE ON DATABASE postgres TO {name}")

    @contextlib.contextmanager
    def small_disk(self, mebibytes: int = 4) -> Iterator[str]:
        """A tablespace that is soon full."""
        folder = self._data.parent / "small"
        folder.mkdir()
        owner = f"uid={self.account.pw_uid},gid={self.account.pw_gid},mode=700"
        options = f"size={mebibytes}m,{owner}"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True
        )
        if mounted.returncode:
            raise NoSmallDisk(mounted.stderr.decode(errors="replace"))
        try:
            self.run(f"CREATE TABLESPACE small LOCATION '{folder}'")
            self.run("GRANT CREATE ON TABLESPACE small TO PUBLIC")
            yield "small"
            self.run("DROP TABLESPACE small")
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)

    def move_all(self, old: str, new: str) -> None:
        """Tables and indexes from one tablespace to the other."""
        for kind in ("TABLE", "INDEX"):
            self.run(f"ALTER {kind} ALL IN TABLESPACE {old} SET TABLESPACE {new}")

    def kill(self) -> None:
        """As a machine that loses its power would, but for what the disk had."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        pids = [int(pid) for pid in children.read_text().split()]
        for pid in (self._process.pid, *pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def run(self, sql: str) -> bytes:
        done = subprocess.run(
            [
                "psql",
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-U",
                ADMIN,
                "-d",
                "postgres",
                "-c",
                sql,
            ],
            env={**os.environ, "PGPASSWORD": ADMIN_PASSWORD, "PGTZ": "UTC"},
            capture_output=True,
        )
        if done.returncode:
            raise SqlError(done.stderr.decode(errors="replace"))
        return done.stdout

    def query(self, sql: str) -> list[Row]:
        header, *records = (
            fields(record)
            for record in raw_records(self.run(f"COPY ({sql}) TO STDOUT (FORMAT csv, HEADER)"))
        )
        return [
            dict(zip([name or "" for name in header], record, strict=True)) for record in records
        ]

    # What the campaign asks of all kinds of servers.

    def position(self, schema: str) -> str:
        """What tells a commit from the one before."""
        state = self.query(
            f"SELECT epoch, md5(position) AS at, updated_at FROM {schema}._intercom_state"
        )
        return json.dumps(state)

    def open_transaction(self, schema: str) -> dict[str, str | None] | None:
        """The writer's transaction that has written something and waits for more; none: nothing."""
        made = self.query(f"SELECT to_regclass('{schema}._intercom_state')::text AS made")
        if not made[0]["made"]:
            return None
        found = self.query(
            "SELECT a.pid, a.backend_xid, a.state_change, (SELECT string_agg(c.relname, ' '"
            " ORDER BY c.relname) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE"
            " l.pid = a.pid AND l.mode = 'RowExclusiveLock' AND c.relkind = 'r' AND"
            f" c.relnamespace = '{schema}'::regnamespace) AS written"
            f" FROM pg_stat_activity a JOIN {schema}._intercom_state s ON s.backend_pid = a.pid AND"
            " s.backend_start = a.backend_start WHERE a.backend_xid IS NOT NULL AND a.wait_event ="
            " 'ClientRead' AND a.state <> 'idle'"
        )
        # Not the one that makes the tables, which has no rows.
        return found[0] if found and found[0]["written"] != "_intercom_tables" else None

    def end_sessions(self) -> None:
        """Waits until the sessions of killed writers are gone."""
        while self.query(
            "SELECT 1 AS one FROM pg_stat_activity WHERE application_name = 'intercom-extract'"
        ):
            time.sleep(0.02)

    def problems(self, schema: str, expected: Path) -> list[str]:
        return differences(self, schema, expected)

    def drop(self, schema: str) -> None:
        self.run(f"DROP SCHEMA {schema} CASCADE")


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    # Not pytest's folder: another user must get into it.
    folder = Path(tempfile.mkdtemp(prefix="sink-postgres-"))
    folder.chmod(0o755)
    try:
        server = Postgres(folder)
        try:
            server.start()
            server.add_role(USER)
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
