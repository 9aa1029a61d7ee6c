"""How fast the client hands out rows, beside a bare loop over the stub that touches the same.

Prints JSON: per way of reading the median of rows/s and of CPU seconds per million rows, and
`ratio`, the median of its rows/s beside those of the bare loop of the same round. A server in a
process of its own sends the same batches again and again, so that the client is what is
measured.

    python benchmarks/throughput.py [--rows N] [--rounds N]
"""

import argparse
import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from operator import truediv
from typing import Any

import grpc

from intercom_extractor import Client
from intercom_extractor.channel import LOCAL_OPTIONS
from intercom_extractor.v1 import annotations_pb2, tables_pb2
from intercom_extractor.v1 import extractor_service_pb2 as service
from intercom_extractor.v1.extractor_service_pb2_grpc import ExtractorServiceStub

# Their stubs do not say that they are extensions.
EXTENSIONS: Any = annotations_pb2
SERVICE = "intercom.extractor.v1.ExtractorService"
# As the server's: batches of some 256 KiB, a checkpoint after 5,000 rows.
BATCH_ROWS = 400
BATCHES_PER_CHECKPOINT = 12


def _batch() -> bytes:
    event = service.ExtractResponse()
    batch = event.row_batch
    batch.table, batch.generation = "users", 1
    for number in range(BATCH_ROWS):
        batch.users.add(
            type="user",
            id=f"5ba682d23d7cf92bef87{number:04}",
            created_at=1_538_097_800 + number,
            updated_at=1_638_097_800 + number,
            email=f"somebody.{number}@example.com",
            phone="+1 555 0100",
            user_id=str(number),
            unsubscribed_from_emails=False,
            name="Somebody With A Name",
            location_data_city_name="Dublin",
            location_data_country_name="Ireland",
            location_data_latitude=53.159233,
            custom_attributes=json.dumps({f"attribute_{n}": "x" * 20 for n in range(10)}),
        )
    return event.SerializeToString()


def _checkpoint(number: int) -> bytes:
    event = service.ExtractResponse()
    event.checkpoint.number = number
    event.checkpoint.resume_token = b"t" * 200
    rows = BATCH_ROWS * BATCHES_PER_CHECKPOINT
    event.checkpoint.rows.add(table="users", rows=rows, generation=1)
    return event.SerializeToString()


def serve(rows: int, port: Connection) -> None:
    """Tells its port, and ends when the other side is closed."""
    batch = _batch()
    intervals = -(-rows // (BATCH_ROWS * BATCHES_PER_CHECKPOINT))
    summary = service.ExtractResponse(summary=service.Summary()).SerializeToString()

    def extract(request: Any, context: Any) -> Iterator[bytes]:
        for number in range(1, intervals + 1):
            for _ in range(BATCHES_PER_CHECKPOINT):
                yield batch
            yield _checkpoint(number)
        yield summary

    def list_tables(request: bytes, context: Any) -> bytes:
        response = service.ListTablesResponse()
        table = response.tables.add(row_message="intercom.extractor.v1.User")
        table.table.name = "users"
        types = {9: service.COLUMN_TYPE_STRING, 3: service.COLUMN_TYPE_INT64,
                 8: service.COLUMN_TYPE_BOOL, 1: service.COLUMN_TYPE_DOUBLE}  # fmt: skip
        for field in tables_pb2.User.DESCRIPTOR.fields:
            column = table.columns.add(name=field.name, number=field.number)
            column.type = types[field.type]
            column.column.CopyFrom(field.GetOptions().Extensions[EXTENSIONS.column])
        return response.SerializeToString()

    server = grpc.server(ThreadPoolExecutor(2))
    handlers: Any = {
        "Extract": grpc.unary_stream_rpc_method_handler(extract),
        "ListTables": grpc.unary_unary_rpc_method_handler(list_tables),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    number = server.add_insecure_port("127.0.0.1:0")
    server.start()
    port.send(number)
    port.recv()
    server.stop(0)


def bare(address: str) -> int:
    rows = 0
    with grpc.insecure_channel(address, options=LOCAL_OPTIONS) as channel:
        for event in ExtractorServiceStub(channel).Extract(service.ExtractRequest()):
            if event.WhichOneof("event") == "row_batch":
                for row in event.row_batch.users:
                    rows += len(row.id) > 0
    return rows


def client_rows(address: str, at_least_once: bool = False) -> int:
    rows = 0
    with Client(address) as client:
        for _, row in client.extract(["users"], at_least_once=at_least_once):
            rows += len(row.id) > 0  # type: ignore[union-attr]
    return rows


def client_batches(address: str) -> int:
    rows = 0
    with Client(address) as client:
        for batch in client.extract(["users"]).batches():
            for row in batch.rows:
                rows += len(row.id) > 0  # type: ignore[union-attr]
    return rows


def client_arrow(address: str) -> int:
    with Client(address) as client:
        return sum(batch.num_rows for _, batch in client.extract(["users"]).to_arrow())


WAYS: dict[str, Callable[[str], int]] = {
    "bare stub": bare,
    "rows": client_rows,
    "rows of batches": client_batches,
    "rows, at least once": lambda address: client_rows(address, at_least_once=True),
    "arrow": client_arrow,
}


def measure(address: str, rounds: int) -> dict[str, dict[str, float]]:
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    costs: dict[str, list[float]] = {way: [] for way in WAYS}
    # In turn, so that a busy moment of the machine is everybody's, in an order that changes.
    for number in range(rounds):
        ways = list(WAYS.items())
        random.Random(number).shuffle(ways)
        for way, read in ways:
            start, cpu = time.perf_counter(), time.process_time()
            rows = read(address)
            rates[way].append(rows / (time.perf_counter() - start))
            costs[way].append((time.process_time() - cpu) / rows * 1e6)
    return {
        way: {
            "rows_per_second": round(statistics.median(rates[way])),
            "cpu_seconds_per_million_rows": round(statistics.median(costs[way]), 2),
            "ratio": round(statistics.median(map(truediv, rates[way], rates["bare stub"])), 3),
        }
        for way in WAYS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(options.rows, theirs), daemon=True)
    server.start()
    address = f"127.0.0.1:{ours.recv()}"
    bare(address)
    print(json.dumps(measure(address, options.rounds), indent=1))
    ours.send(None)
    server.join()


if __name__ == "__main__":
    main()
