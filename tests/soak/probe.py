"""Opens stream after stream, waits for the first row of each and cancels it.

A program of its own, as one that does anything else meanwhile would measure that as well.
Prints a JSON object per stream: when it began, how long its first row took, or why none came.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import time

import grpc
from intercom.extractor.v1 import annotations_pb2 as annotations
from intercom.extractor.v1 import extractor_service_pb2 as service
from raw_consumer import EXTRACT, LARGEST_MESSAGE

WAIT_SECONDS = 60
OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.enable_http_proxy", 0),
    # Each has a connection of its own, as clients of different people have.
    ("grpc.use_local_subchannel_pool", 1),
)
# What is asked for, whose first rows come of different answers.
REQUESTS = (
    {"tables": ["users"]},
    {"tables": ["conversations", "conversation_parts"]},
    {"tables": ["tags"]},
    {"template": annotations.TEMPLATE_ALL},
)


async def until_first_row(target: str, request: service.ExtractRequest) -> float:
    """Seconds from before the connection is made to the first row."""
    start = time.monotonic()
    async with grpc.aio.insecure_channel(target, options=OPTIONS) as channel:
        extract = channel.unary_stream(
            EXTRACT,
            request_serializer=service.ExtractRequest.SerializeToString,
            response_deserializer=service.ExtractResponse.FromString,
        )
        call = extract(request, timeout=WAIT_SECONDS)
        try:
            async for event in call:
                if event.WhichOneof("event") == "row_batch":
                    return time.monotonic() - start
        finally:
            call.cancel()
    raise RuntimeError("the stream ended without a row")


async def probe(target: str, connection: str, asked: dict[str, object]) -> None:
    told: dict[str, object] = {"at": time.time(), "connection": connection}
    try:
        request = service.ExtractRequest(connection=connection, **asked)
        told["seconds"] = await until_first_row(target, request)
    except grpc.aio.AioRpcError as error:
        told["problem"] = f"{error.code().name}: {error.details()}"
    except RuntimeError as error:
        told["problem"] = str(error)
    told["until"] = time.time()
    print(json.dumps(told), flush=True)


async def run(flags: argparse.Namespace) -> None:
    chance = random.Random(f"probes {flags.seed}")
    start = time.monotonic()
    running: set[asyncio.Task[None]] = set()
    for number in itertools.count():
        # By the clock, whatever the streams before do: a server that is slow is asked as often.
        await asyncio.sleep(max(0.0, start + number / flags.rate - time.monotonic()))
        task = asyncio.create_task(
            probe(flags.target, chance.choice(flags.connection), chance.choice(REQUESTS))
        )
        running.add(task)
        task.add_done_callback(running.discard)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--connection", action="append", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="streams per second")
    asyncio.run(run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
