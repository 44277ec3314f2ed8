"""A header whose name is no UTF-8 must not stop the reading of a topic.

Kafka lets any bytes stand there, and aiokafka takes the whole batch for corrupt: one record of one sender
would end intake, again after each start. Such a batch is read once more, and the name is kept as Python keeps
a file name that it cannot read (``surrogateescape``), so that the envelope can refuse the record and its dead
letter can hold it.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LOG_OVERHEAD = struct.calcsize(">qi")
_LENGTH_AT = struct.calcsize(">q")


class _Word(bytes):
    def decode(self, *_: Any, **__: Any) -> str:
        return super().decode("utf-8", "surrogateescape")


class _Buffer(bytearray):
    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Word(found) if isinstance(place, slice) else found


class _Patient(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch read by Python, in which a name may be any bytes."""

    _buffer: Any

    def __iter__(self) -> Iterator[Any]:
        self._maybe_uncompress()
        self._buffer = _Buffer(self._buffer)
        while self._next_record_index < self._num_records:
            yield next(self)


class _Batch:
    """A batch as aiokafka reads it, and patiently where it gives up."""

    def __init__(self, batch: Any, raw: bytes) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                yield record
                read += 1
        except (CorruptRecordException, UnicodeDecodeError):
            yield from islice(_Patient(self._raw), read, None)


class Records:
    """What one fetch brought of a partition, batch by batch."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0
        self._records = MemoryRecords(raw)

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> _Batch | None:
        batch = self._records.next_batch()
        if batch is None:
            return None
        length = struct.unpack_from(">i", self._raw, self._at + _LENGTH_AT)[0]
        start, self._at = self._at, self._at + _LOG_OVERHEAD + length
        return _Batch(batch, self._raw[start : self._at])


def read_any_name() -> None:
    """From here on every consumer of this process reads so."""
    fetcher.MemoryRecords = Records
