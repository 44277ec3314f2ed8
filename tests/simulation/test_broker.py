"""The broker in memory keeps to what Kafka promises; else the simulation proves nothing."""

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from agents.stage.reading import compacted, stretch
from tests.simulation.broker import TRANSACTION_MS, Broker
from tests.simulation.clients import Consumer, Producer
from tests.simulation.turns import Task

HERE = ("t", 0)


def a_broker() -> Broker:
    return Broker(1_000, frozenset({"t"}))


def until(task: Task, what: str) -> None:
    """Let it go on to a point of its transaction."""
    while (turn := task.go()) is not None and turn.what != what:
        pass


async def writes(producer: Producer, *values: bytes) -> None:
    await producer.start()
    await producer.begin_transaction()
    batch = producer.create_batch()
    for value in values:
        batch.append(timestamp=None, key=None, value=value, headers=[])
    await producer.send_batch(batch, "t", partition=0)
    await producer.commit_transaction()


def values(broker: Broker) -> list[bytes | None]:
    return [stored.value for stored in broker.read(HERE)]


@pytest.mark.parametrize(("point", "seen"), [("commit", []), ("committed", [b"a", b"b"])])
def test_a_transaction_is_seen_whole_or_not_at_all(point: str, seen: list[bytes]):
    broker = a_broker()
    task = Task(writes(Producer(broker, "id"), b"a", b"b"))

    until(task, point)

    assert values(broker) == seen


def test_nothing_after_an_open_transaction_is_seen_before_that_has_ended():
    # Given a transaction that its producer has left open
    broker = a_broker()
    until(Task(writes(Producer(broker, "id"), b"a")), "commit")
    broker.append(HERE, None, b"after")
    assert (values(broker), broker.end(HERE)) == ([], 0)

    # When the broker ends it
    broker.pass_time(TRANSACTION_MS + 1)

    # Then what came after it is there, and a mark has taken an offset
    assert (values(broker), broker.end(HERE)) == ([b"after"], 3)


@pytest.mark.parametrize("point", ["begin", "send", "commit"])
def test_who_opens_the_id_fences_its_former_holder(point: str):
    # Given a producer that stands still somewhere in its transaction, and another that has opened its id
    broker = a_broker()
    former = Task(writes(Producer(broker, "id"), b"former"))
    until(former, point)
    until(Task(writes(Producer(broker, "id"), b"new")), "committed")

    # When the former one goes on
    with pytest.raises(KafkaError):
        until(former, "committed")

    # Then nothing of it counts
    assert values(broker) == [b"new"]


async def test_the_product_s_own_reading_gets_what_counts():
    broker = a_broker()
    broker.append(HERE, b"k", b"one")
    until(Task(writes(Producer(broker, "id"), b"lost")), "commit")
    broker.open("id")
    broker.append(HERE, b"k", b"two")

    read = [record.value async for found in stretch(Consumer(broker), "t", 0, None) for record in found]

    assert read == [b"one", b"two"]
    assert await compacted(Consumer(broker), "t", 0) == {b"k": b"two"}
    assert (await Consumer(broker).end_offsets([TopicPartition("t", 0)]))[TopicPartition("t", 0)] == 4
