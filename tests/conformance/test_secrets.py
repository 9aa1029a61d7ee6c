"""Tokens and what customers wrote are nowhere but where they belong: all that the programs
print, log, measure and keep is searched for planted ones."""

import base64
import csv
import hashlib
import json
from pathlib import Path

import pytest
from said import Said, talkative_server

from programs import Run, run_command_line, running_fake

ACCESS_TOKEN = "planted-access-token-4711"
OTHER_TOKEN = "planted-other-token-4712"
CALLER_TOKEN = "planted-caller-token-4713-of-a-good-length"
WRONG_CALLER_TOKEN = "planted-wrong-caller-token-4714-of-a-length"
RESUME_KEY = "planted-resume-key-4715-of-a-good-length"
SECRETS = (ACCESS_TOKEN, OTHER_TOKEN, CALLER_TOKEN, WRONG_CALLER_TOKEN, RESUME_KEY)

# Columns with what people are called or have written.
PERSONAL = {
    "users": ("name", "email", "phone"),
    "leads": ("name", "email", "phone"),
    "companies": ("name",),
    "notes": ("body",),
    "conversations": ("conversation_message_subject", "conversation_message_body"),
    "conversation_parts": ("body",),
}
# Enough to go wrong that errors and notices are made of damaged answers, too.
FAULTS = "scope_missing:/tags,status:500:40,malformed_json:60,vanish:2"


def personal_texts(folder: Path) -> set[str]:
    texts = set()
    for table, columns in PERSONAL.items():
        with (folder / f"{table}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                texts |= {row[column] for column in columns if row[column]}
    # Shorter ones are words of ours, too.
    return {text for text in texts if len(text) >= 10}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, Path]:
    folder = tmp_path_factory.mktemp("secrets")
    said = Said()
    for name, secret in (
        ("access", ACCESS_TOKEN),
        ("other", OTHER_TOKEN),
        ("caller", CALLER_TOKEN),
        ("wrong-caller", WRONG_CALLER_TOKEN),
        ("resume", RESUME_KEY),
    ):
        (folder / name).write_text(secret + "\n")
    flags = ("--users=200", "--leads=60", "--companies=40", "--conversations=40")
    with running_fake(
        folder / "fake.log", *flags, f"--access-token={ACCESS_TOKEN}", f"--faults={FAULTS}"
    ) as fake:
        connection = f"base_url: {fake.base_url}"
        (folder / "server.yaml").write_text(
            f"""
metrics: {{listen: "127.0.0.1:0"}}
connections:
  - {{name: default, {connection}, access_token_file: {folder}/access,
     resume_key_file: {folder}/resume}}
  - {{name: refused, {connection}, access_token_command: [cat, {folder}/other]}}
callers:
  - name: tester
    token_sha256: {hashlib.sha256(CALLER_TOKEN.encode()).hexdigest()}
    connections: [default, refused]
"""
        )
        log = folder / "server.log"
        with talkative_server(folder / "server.yaml", log) as address:
            server = ("--server", address, "--caller-token-file", folder / "caller")
            wrong = ("--server", address, "--caller-token-file", folder / "wrong-caller")

            def run(name: str, *arguments: str | Path) -> Run:
                return said.add(name, run_command_line(*arguments, token=None))

            output = folder / "out"
            extract = ("extract", "--template=all", "--output", output)
            assert run("extract", *extract, "--json", *server).exit_code == 4
            for command in ("check", "plan", "top"):
                asked = ("--template=all",) if command == "plan" else ()
                run(command, command, *asked, *server, "--json")
                run(
                    f"{command} of a refused token",
                    command,
                    *asked,
                    *server,
                    "--connection=refused",
                )
                run(f"{command} of a stranger", command, *asked, *wrong)
            run("state", "state", "show", "--output", output, "--json")
            token = run("export", "state", "export", "--output", output)
            said.texts["the resume token"] = base64.b64decode(token.stdout)
            run("resume", *extract, "--resume", *server)
            run("resume elsewhere", *extract, "--resume", *server, "--connection=refused")
            embedded = ("--base-url", fake.base_url, "--access-token-file")
            run(
                "embedded",
                "extract",
                "--tables=users",
                "--output",
                folder / "e",
                *embedded,
                folder / "access",
            )
            run("embedded, refused", "check", *embedded, folder / "other")
            run("no file", "check", "--access-token-file", ACCESS_TOKEN)
            said.texts["state file"] = (output / ".intercom-extract.state").read_bytes()
            said.add_pages(log)
        said.texts["server.log"] = log.read_bytes()
    return said, output


def test_no_token_and_no_key_is_said_or_kept_anywhere(everything: tuple[Said, Path]) -> None:
    said, _ = everything
    assert b"extract ended" in said.texts["server.log"]
    assert b"401" in said.texts["check of a refused token, stderr"]
    for secret in SECRETS:
        # What somebody gives as the name of a file is said again, else nobody finds the error.
        places = [place for place in said.found(secret) if not place.startswith("no file")]
        assert places == [], secret


def test_nothing_that_people_are_called_or_wrote_is_said_anywhere(
    everything: tuple[Said, Path],
) -> None:
    said, output = everything
    texts = personal_texts(output)
    assert len(texts) > 300
    assert any("@" in text for text in texts)
    for text in texts:
        assert said.found(text) == [], text


def test_the_search_finds_what_is_there(everything: tuple[Said, Path]) -> None:
    said = Said({"a log": b"error " + json.dumps({"x": "planted \u00e9 text"}).encode()})
    assert said.found("planted \u00e9 text") == ["a log"]
    encoded = base64.b64encode(b"ab" + ACCESS_TOKEN.encode() + b"c")
    assert Said({"a token": encoded}).found(ACCESS_TOKEN) == ["a token"]
