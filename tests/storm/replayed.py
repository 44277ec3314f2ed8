"""A region's journal against itself: its inputs, as they lie on the lanes, decided once more."""

import os
from pathlib import Path

from agents.casework.writer import CaseworkWriter
from agents.policy.region import load_regions
from agents.stage.lane import Arrived
from agents.stage.reading import arrived
from tests.storm.again import decided_again
from tests.storm.history import read_all
from topics import journal as j
from topics import specs

LANES = {j.DESK: specs.DESK.topic(), j.INBOX: specs.INBOX.topic()}


def differing(bootstrap: str, regions: Path, name: str) -> int:
    """How many records of a region's journal come out otherwise, in any byte."""
    config = load_regions(regions, development=True)[name]
    journal = [record.value for record in read_all(bootstrap, [specs.JOURNAL.topic()], config.partition)]
    came = {
        lane: {record.offset: arrived(record) for record in read_all(bootstrap, [topic], config.partition)}
        for lane, topic in LANES.items()
    }

    def lane(of: str, offset: int) -> Arrived:
        return came[of].pop(offset)

    again = decided_again(CaseworkWriter(config, os.urandom, lambda record, book: None), journal, lane)
    return sum(one != other for one, other in zip(journal, again, strict=True))
