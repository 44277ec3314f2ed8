"""Deciding the inputs of a journal once more: the same release must come to the same events, byte for byte."""

from collections.abc import Callable, Iterator, Sequence

from agents.casework.writer import CaseworkWriter
from agents.stage.lane import Arrived
from agents.stage.writer import ContentNeeded, Outgoing
from topics import journal as j
from topics import specs


def decided_again(
    writer: CaseworkWriter, journal: Sequence[bytes], lane: Callable[[str, int], Arrived], start: int = 0
) -> Iterator[bytes]:
    """The records from ``start`` on as ``writer``, whose book holds those before, decides them now.

    ``lane`` gives what lies on a lane at an offset.
    """

    def asked(ask: Callable[[], list[Outgoing]]) -> list[Outgoing]:
        while True:
            try:
                return ask()
            except ContentNeeded as needed:
                writer.recall(journal[place] for place in needed.places)

    for place in range(start, len(journal)):
        record = j.decode(journal[place])
        if isinstance(record.input, j.ConfigureInput):
            out = writer.begin(record.at)
        elif isinstance(record.input, j.TickInput):
            out = asked(lambda at=record.at, until=record.input.until: writer.tick(at, until))  # type: ignore[misc]
        else:
            came = lane(record.lane, record.offset)
            out = asked(lambda came=came, name=record.lane: writer.decide(name, came))  # type: ignore[misc]
        writer.committed([record.seq])
        yield from (one.value or b"" for one in out if one.topic == specs.JOURNAL.topic())
