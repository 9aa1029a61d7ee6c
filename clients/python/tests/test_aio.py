import asyncio

import grpc
import pytest

from intercom_extractor import AsyncClient, TableRestartedError, UnavailableError
from scripted import Call, Waits, checkpoint, progress, restarted, rows, serving, summary

TAGS = ["tags"]


def test_an_async_client_goes_on_from_the_last_checkpoint() -> None:
    waits = Waits()
    calls = [
        Call(
            [rows("tags", "1"), checkpoint(1, tags=1), rows("tags", "2")],
            grpc.StatusCode.UNAVAILABLE,
        ),
        Call([rows("tags", "2"), checkpoint(2, tags=1), summary()]),
    ]

    async def read(address: str) -> list[str]:
        async with AsyncClient(address, timing=waits.timing()) as client:
            extraction = client.extract(TAGS)
            ids = [row.id async for _, row in extraction]  # type: ignore[union-attr]
            assert extraction.summary is not None
            assert extraction.last_checkpoint == b"token 2"
            assert extraction.reconnects == 1
            return ids

    with serving(*calls) as script:
        assert asyncio.run(read(script.address)) == ["1", "2"]
    assert waits.seconds == [1]
    assert script.requests[1].resume_token == b"token 1"


def test_leaving_the_block_cancels_the_call() -> None:
    async def read(address: str) -> None:
        async with AsyncClient(address) as client:
            async with client.extract(TAGS) as extraction:
                async for _ in extraction:
                    break
            assert await asyncio.to_thread(script.cancelled.wait, 10)

    events = [rows("tags", "1"), checkpoint(1, tags=1)]
    with serving(Call(events, holds=True)) as script:
        asyncio.run(read(script.address))


def test_cancelling_the_task_cancels_the_call() -> None:
    async def read(address: str) -> None:
        begun = asyncio.Event()
        async with AsyncClient(address) as client:

            async def forever() -> None:
                async for _ in client.extract(TAGS, on_progress=lambda _: begun.set()):
                    pass

            task = asyncio.create_task(forever())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(script.cancelled.wait, 10)

    with serving(Call([progress()], holds=True)) as script:
        asyncio.run(read(script.address))


def test_errors_and_restarts_are_those_of_the_other_client() -> None:
    restart = [
        rows("companies", "1"),
        checkpoint(1, companies=1),
        restarted("companies", 2),
        checkpoint(2),
        summary(),
    ]

    async def read(address: str) -> None:
        async with AsyncClient(address) as client:
            with pytest.raises(TableRestartedError):
                async for _ in client.extract(["companies"]):
                    pass
            with pytest.raises(UnavailableError):
                async for _ in client.extract(["companies"]):
                    pass
            assert len(await client.tables()) == 22
            assert [t.table.name for t in await client.extract(TAGS).tables()] == TAGS

    with serving(Call(restart), Call([], grpc.StatusCode.UNAVAILABLE)) as script:
        asyncio.run(read(script.address))


def test_record_batches_come_from_an_async_client_too() -> None:
    async def read(address: str) -> list[tuple[str, list[object]]]:
        async with AsyncClient(address) as client:
            return [
                (table, batch["id"].to_pylist())
                async for table, batch in client.extract(TAGS).to_arrow()
            ]

    with serving(Call([rows("tags", "1", "2"), checkpoint(1, tags=2), summary()])) as script:
        assert asyncio.run(read(script.address)) == [("tags", ["1", "2"])]
