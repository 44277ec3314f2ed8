"""What a receiver needs that has no software of its own for this: its queue and its notices, each message once, into
files or to a URL, and RECEIVED answered for each offer.

A message counts as taken in once it lies in the folder, or the URL has answered with 2xx. A kill between that and the
note of it brings the message once more, under the same ``id``.
"""

import base64
import fcntl
import hmac
import json
import os
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from agents.sealing import CannotOpen, unseal, unwrap_with
from topics import envelope, specs
from topics.cluster import Cluster
from topics.codes import HandoverState

GROUP = "meldstroom-receive"
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
POST_WITHIN_S = 20.0
CONFIRMED_WITHIN_S = 15.0
REMEMBERED_DAYS = 200
"""Longer than a queue keeps its messages."""


class Busy(Exception):
    """Another process receives into the same place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message for the receiver, as a CloudEvent in structured mode has it."""

    id: str
    type: str
    plain: dict[str, Any]

    @property
    def offer(self) -> dict[str, Any] | None:
        """The offer that it is."""
        return self.plain["data"] if self.type == specs.OFFER_TYPE else None

    def encode(self) -> bytes:
        """As JSON, UTF-8."""
        return json.dumps(self.plain, ensure_ascii=False, indent=1).encode()


Deliver = Callable[[Message], str]
"""Hands a message over and says where to; returns once it is there."""


class Taken:
    """Which messages were taken in, on disk; one process at a time has it. A context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise Busy(str(self._path.parent)) from None
        self._db = sqlite3.connect(self._path)
        self._db.execute("CREATE TABLE IF NOT EXISTS taken (id TEXT PRIMARY KEY, at INTEGER NOT NULL)")
        self._db.execute("DELETE FROM taken WHERE at < ?", (int(time.time()) - REMEMBERED_DAYS * 86_400,))
        self._db.commit()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        os.close(self._lock)

    def __contains__(self, message_id: str) -> bool:
        return self._db.execute("SELECT 1 FROM taken WHERE id = ?", (message_id,)).fetchone() is not None

    def forget(self, since: float) -> None:
        """What was taken in since then (s since 1970) is to come once more."""
        with self._db:
            self._db.execute("DELETE FROM taken WHERE at >= ?", (int(since),))

    def add(self, message_id: str) -> None:
        """On disk when this returns."""
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO taken VALUES (?, ?)", (message_id, int(time.time())))


def into(folder: Path) -> Deliver:
    """Into a folder, a file for each message, which is whole or not there and readable by its owner alone."""

    def deliver(message: Message) -> str:
        path = folder / f"{message.id}.json"
        part = folder / f".{message.id}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(message.encode())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        return str(path)

    return deliver


def signed(message_id: str, at: int, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers by which a receiver knows that a message is ours and new (Standard Webhooks 1.0): its id, when it was
    sent (s since 1970), and an HMAC-SHA256 over both and the body."""
    said = f"{message_id}.{at}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, said, "sha256")).decode()
    return {"Webhook-Id": message_id, "Webhook-Timestamp": str(at), "Webhook-Signature": f"v1,{signature}"}


def posted_to(
    url: str,
    sleep: Callable[[float], None],
    failed: Callable[[str], None],
    secret: bytes | None = None,
    now: Callable[[], float] = time.time,
) -> Deliver:
    """To a URL, as ``application/cloudevents+json``, signed when there is a ``secret``; anything but 2xx is tried
    again, later each time, for ever. ``failed`` is told why, once for each message."""

    def deliver(message: Message) -> str:
        wait, told = FIRST_WAIT_S, False
        while True:
            headers = {"Content-Type": "application/cloudevents+json; charset=utf-8", "Ce-Id": message.id}
            body = message.encode()
            if secret is not None:
                headers |= signed(message.id, int(now()), body, secret)
            request = urllib.request.Request(url, body, headers, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=POST_WITHIN_S) as answer:
                    return f"{url} {answer.status}"
            except urllib.error.HTTPError as error:
                why = str(error.code)
            except (urllib.error.URLError, OSError) as error:
                why = type(getattr(error, "reason", error)).__name__
            if not told:
                failed(why)
                told = True
            sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)

    return deliver


class Openable:
    """The keys of what is sealed for one receiver: read as they come, and forgotten when they are destroyed."""

    def __init__(self, cluster: Cluster, receiver: str, partition: int, private: dict[str, Any]) -> None:
        self._receiver, self._private = receiver, private
        self._place = TopicPartition(specs.KEYS.topic(), partition)
        self._consumer = _consumer(cluster, None)
        self._consumer.assign([self._place])
        self._consumer.seek_to_beginning(self._place)
        self._wrapped: dict[str, str] = {}

    def close(self) -> None:
        self._consumer.close()

    def opened(self, content: dict[str, Any]) -> dict[str, Any] | None:
        """What was sealed; None when its key was destroyed, or is for another private key."""
        self._read()
        wrapped = self._wrapped.get(content["key_id"])
        if wrapped is None:
            return None
        try:
            plain = unseal(unwrap_with(self._private, wrapped), content["key_id"], "content", content["data"])
        except CannotOpen:
            return None
        found: dict[str, Any] = json.loads(plain)
        return found

    def _read(self) -> None:
        end = self._consumer.end_offsets([self._place])[self._place]
        while self._consumer.position(self._place) < end:
            for records in self._consumer.poll(timeout_ms=200).values():
                for record in records:
                    key_id = (record.key or b"").decode()
                    value = json.loads(record.value) if record.value else {}
                    if value.get("receiver") == self._receiver:
                        self._wrapped[key_id] = value["jwe"]
                    else:
                        self._wrapped.pop(key_id, None)


def receive(
    cluster: Cluster,
    receiver: str,
    source: str,
    taken: Taken,
    deliver: Deliver,
    openable: Openable | None,
    *,
    once: bool,
    stopped: Callable[[], bool],
    again: bool = False,
) -> Iterator[tuple[Message, str]]:
    """Every message that was not taken in yet, and where it went; with ``once`` up to the end of today's, else until
    ``stopped``. ``source`` is who answers. ``again``: what is on the topics is looked through from its start."""
    places = [TopicPartition(family.topic(receiver), 0) for family in (specs.QUEUE, specs.NOTICES)]
    with (
        closing(_consumer(cluster, f"{GROUP}-{receiver}")) as consumer,
        closing(_producer(cluster)) as producer,
    ):
        consumer.assign(places)
        if again:
            consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        while not stopped() and (not once or any(consumer.position(place) < ends[place] for place in places)):
            for place, records in consumer.poll(timeout_ms=200, max_records=100).items():
                done: list[Message] = []
                for record in records:
                    if stopped():
                        break
                    message = _message(record, openable)
                    if message.id not in taken:
                        where = deliver(message)
                        taken.add(message.id)
                        yield message, where
                    done.append(message)
                # Of what has lain there for long some was taken back since: nobody waits for those.
                over = {one.plain["data"]["handover_id"] for one in done if one.type == specs.RECALL_TYPE}
                for one in done:
                    if one.offer is not None and one.offer["handover_id"] not in over:
                        _answer(producer, receiver, source, one.offer)
                if done:
                    consumer.commit({place: OffsetAndMetadata(records[len(done) - 1].offset + 1, "", -1)})


def _consumer(cluster: Cluster, group: str | None) -> KafkaConsumer:
    return KafkaConsumer(
        **cluster.client(),
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )


def _producer(cluster: Cluster) -> KafkaProducer:
    return KafkaProducer(
        **cluster.client(), acks="all", enable_idempotence=True, max_block_ms=int(CONFIRMED_WITHIN_S * 1000)
    )


def _message(record: Any, openable: Openable | None) -> Message:
    said = envelope.read(record.headers, record.key, record.value)
    data: dict[str, Any] = json.loads(said.data)
    if openable is not None and data.get("content") is not None:
        data["content"] = openable.opened(data["content"]) or data["content"]
    plain = {
        "specversion": "1.0",
        "id": said.id,
        "type": said.type,
        "source": said.source,
        "time": said.time.isoformat() if said.time is not None else None,
        "subject": said.subject,
        "datacontenttype": "application/json",
        "data": data,
    }
    return Message(
        id=said.id, type=said.type, plain={name: value for name, value in plain.items() if value is not None}
    )


def _answer(producer: KafkaProducer, receiver: str, source: str, offer: dict[str, Any]) -> None:
    """That it has arrived; of one offer always under the same id, so that twice is once."""
    handover_id = offer["handover_id"]
    answer_id = str(uuid5(UUID(handover_id), HandoverState.RECEIVED.value))
    said = {
        "answer_id": answer_id,
        "case_id": offer["case_id"],
        "handover_id": handover_id,
        "state": HandoverState.RECEIVED.value,
        "answered_at": datetime.now(UTC).isoformat(),
    }
    headers = envelope.write(
        id=answer_id, type=specs.ANSWER_TYPE, source=source, time_ms=int(time.time() * 1000), subject=None
    )
    sent = producer.send(
        specs.ANSWERS.topic(receiver), json.dumps(said).encode(), offer["case_id"].encode(), headers=headers
    )
    sent.get(timeout=CONFIRMED_WITHIN_S)
