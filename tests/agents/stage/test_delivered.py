"""What Faust has delivered is taken with the next turn of the event loop, however much it is."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

from agents.stage.transport import delivered

NOW, BEFORE = 7, 6


class Stream:
    """As Faust's: one event a turn."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[SimpleNamespace] = asyncio.Queue()
        self.channel = SimpleNamespace(queue=self.queue)

    def noack(self) -> "Stream":
        return self

    async def events(self) -> AsyncIterator[SimpleNamespace]:
        while True:
            await asyncio.sleep(0)
            yield await self.queue.get()

    def put(self, offset: int, generation: int = NOW) -> None:
        self.queue.put_nowait(SimpleNamespace(message=SimpleNamespace(offset=offset, generation_id=generation)))


async def test_a_flood_takes_no_more_turns_of_the_loop_than_one_record():
    # Given an agent that reads, and a flood that is delivered at once
    stream, taken = Stream(), list[int]()
    app = SimpleNamespace(consumer_generation_id=NOW)

    async def agent() -> None:
        async for message in delivered(app, stream):  # type: ignore[arg-type]
            taken.append(message.offset)

    reading = asyncio.create_task(agent())
    for offset in range(1_000):
        stream.put(offset)

    # When the loop has had a few turns
    for _ in range(5):
        await asyncio.sleep(0)

    # Then all of it has been taken, in its order
    assert taken == list(range(1_000))
    reading.cancel()


async def test_what_an_older_generation_was_delivered_is_left_out():
    stream = Stream()
    app = SimpleNamespace(consumer_generation_id=NOW)
    stream.put(1, BEFORE)
    stream.put(2)

    found = delivered(app, stream)  # type: ignore[arg-type]

    assert (await anext(found)).offset == 2
