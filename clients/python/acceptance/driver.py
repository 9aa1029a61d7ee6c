"""The acceptance suite's driver: tests/clients/README.md says what it must do."""

import base64
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from intercom_extractor import TLS, Client, Extraction, ExtractorError
from intercom_extractor.v1 import extractor_service_pb2 as service


def as_json(message: Message) -> Any:
    return MessageToDict(message, preserving_proto_field_name=True)


def field(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            needs_quotes = not value or any(sign in value for sign in ',"\n\r')
            return '"' + value.replace('"', '""') + '"' if needs_quotes else value
        case _:
            return repr(value)


class CsvFile:
    """One table's file; begins anew as the table does."""

    def __init__(self, path: Path, columns: list[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._columns = columns
        self.restart()

    def restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(",".join(self._columns) + "\n")

    def write(self, row: Message) -> None:
        values = (getattr(row, name) if row.HasField(name) else None for name in self._columns)
        self._file.write(",".join(map(field, values)) + "\n")

    def close(self) -> None:
        self._file.close()


class Driver:
    def __init__(self, scenario: dict[str, Any]) -> None:
        self._scenario = scenario
        self._rows: Counter[str] = Counter()
        self._handed_out = 0
        self._checkpoints = 0
        self._progress = 0
        self._notices: list[dict[str, str]] = []
        self._restarts: list[dict[str, Any]] = []
        self._files: dict[str, CsvFile] = {}
        self._stopped = False

    def run(self) -> None:
        action = self._scenario["action"]
        if action == "decode":
            for file in self._scenario["files"]:
                message = getattr(service, file["message"]).FromString(
                    Path(file["bytes"]).read_bytes()
                )
                Path(file["json"]).write_text(json.dumps(as_json(message)), encoding="utf-8")
            self._write({"error": None})
            return
        tls = self._scenario["tls"]
        files = None
        if tls is not None:
            files = TLS(ca_file=tls["ca"], cert_file=tls["cert"], key_file=tls["key"])
        with Client(
            self._scenario["target"],
            connection=self._scenario["connection"] or "default",
            tls=files,
            token=self._scenario["token"],
        ) as client:
            if action == "extract":
                self._extract(client)
                if self._stopped:
                    self._say("stopped")
                    sys.stdin.read()
            else:
                self._write(self._ask(client, action))

    def _ask(self, client: Client, action: str) -> dict[str, Any]:
        request = self._request()
        request.pop("resume_token")
        try:
            response: Any
            if action == "tables":
                response = {"tables": [as_json(table) for table in client.tables()]}
            elif action == "check":
                response = as_json(client.check())
            else:
                response = as_json(client.plan(**request))
        except ExtractorError as error:
            return {"response": None, "error": _describe(error)}
        return {"response": response, "error": None}

    def _request(self) -> dict[str, Any]:
        request = dict(self._scenario["request"])
        request["resume_token"] = base64.b64decode(request["resume_token"] or "")
        return request

    def _extract(self, client: Client) -> None:
        extraction = client.extract(
            **self._request(),
            at_least_once=self._scenario["delivery"] == "at_least_once",
            timeout=self._scenario["deadline_seconds"],
            on_progress=self._on_progress,
            on_notice=self._on_notice,
            on_checkpoint=self._on_checkpoint,
            on_table_restarted=self._on_table_restarted,
        )
        error: ExtractorError | None = None
        try:
            if self._scenario["stop_after_rows"] == 0:
                self._begin(extraction)
            else:
                self._read(extraction)
        except ExtractorError as caught:
            error = caught
        finally:
            extraction.close()
            for file in self._files.values():
                file.close()
        summary = extraction.summary
        token = extraction.last_checkpoint
        self._write(
            {
                "response": None,
                "rows": dict(self._rows),
                "checkpoints": self._checkpoints,
                "resume_token": None if token is None else base64.b64encode(token).decode(),
                "reconnects": extraction.reconnects,
                "restarts": self._restarts,
                "notices": self._notices,
                "progress": self._progress,
                "summary": None if summary is None else as_json(summary),
                "error": None if error is None else _describe(error),
            }
        )

    def _begin(self, extraction: Extraction) -> None:
        """Cancels as soon as the server has said something."""
        next(extraction.events(), None)
        self._stopped = True

    def _read(self, extraction: Extraction) -> None:
        pause = self._scenario["pause"]
        for table in extraction.tables():
            columns = [column.name for column in table.columns]
            path = Path(self._scenario["output"]) / f"{table.table.name}.csv"
            self._files[table.table.name] = CsvFile(path, columns)
        for table_name, row in extraction:
            # The checkpoint may have been consumed when this row was asked for.
            if self._enough_checkpoints():
                break
            self._files[table_name].write(row)
            self._rows[table_name] += 1
            self._handed_out += 1
            if self._handed_out == 1:
                self._say("row")
            if self._handed_out == self._scenario["stop_after_rows"]:
                self._stopped = True
                break
            if pause is not None and self._handed_out == pause["after_rows"]:
                self._say("paused")
                time.sleep(pause["seconds"])
                self._say("resumed")
        self._stopped = self._stopped or self._enough_checkpoints()

    def _enough_checkpoints(self) -> bool:
        wanted: int | None = self._scenario["stop_after_checkpoints"]
        return self._checkpoints == wanted

    def _on_progress(self, _: service.Progress) -> None:
        self._progress += 1

    def _on_notice(self, notice: service.Notice) -> None:
        code = service.NoticeCode.Name(notice.code)
        self._notices.append({"code": code, "table": notice.table})

    def _on_checkpoint(self, _: service.Checkpoint) -> None:
        self._checkpoints += 1
        self._say("checkpoint")

    def _on_table_restarted(self, restarted: service.TableRestarted) -> None:
        self._files[restarted.table].restart()
        self._restarts.append({"table": restarted.table, "generation": restarted.generation})

    def _say(self, event: str) -> None:
        print(json.dumps({"event": event, "rows": self._handed_out}), flush=True)

    def _write(self, result: dict[str, Any]) -> None:
        path = Path(self._scenario["result"])
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(result), encoding="utf-8")
        unfinished.rename(path)


def _describe(error: ExtractorError) -> dict[str, Any]:
    delay = error.retry_delay
    return {
        "type": type(error).__name__,
        "code": error.code.name,
        "reason": error.reason,
        "metadata": error.metadata,
        "retry_delay_seconds": None if delay is None else delay.total_seconds(),
        "message": error.message,
    }


def main(arguments: list[str]) -> None:
    Driver(json.loads(Path(arguments[1]).read_text(encoding="utf-8"))).run()


if __name__ == "__main__":
    main(sys.argv)
