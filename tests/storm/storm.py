"""A storm: reports of two regions come in while workers are killed and come back under their own ids."""

import random

from kafka import KafkaConsumer, TopicPartition

from tests.storm.field import Field, Worker, a_plain_report, wait_for
from topics import journal as j
from topics import specs

SOURCES = (("politie-oost-brabant", "0772"), ("politie-hollands-midden", "0546"))


class Following:
    """The journal as it grows; each record is read once."""

    def __init__(self, field: Field) -> None:
        self._records: dict[str, list[j.Record]] = {name: [] for name in field.regions}
        self._consumer = KafkaConsumer(
            bootstrap_servers=field.broker.bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=5_000,
        )
        self._places = [TopicPartition(specs.JOURNAL.topic(), found.partition) for found in field.regions.values()]
        self._consumer.assign(self._places)

    def records(self, region: str | None = None) -> list[j.Record]:
        """All records up to where the journal ends now; of one region, or of each after the other."""
        ends = self._consumer.end_offsets(self._places)
        while any(self._consumer.position(place) < ends[place] for place in self._places):
            for found in self._consumer.poll(timeout_ms=200).values():
                for record in found:
                    made = j.decode(record.value)
                    self._records[made.region].append(made)
        return [record for name, all_ in self._records.items() if region in (None, name) for record in all_]

    def close(self) -> None:
        self._consumer.close()


class Receipts:
    """How many receipts the sources have got; each is read once."""

    def __init__(self, field: Field) -> None:
        self.count = 0
        self._consumer = KafkaConsumer(
            bootstrap_servers=field.broker.bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=5_000,
        )
        self._consumer.assign([TopicPartition(specs.RECEIPTS.topic(source), 0) for source, _ in SOURCES])

    def reach(self, count: float) -> None:
        def reached() -> bool:
            self.count += sum(map(len, self._consumer.poll(timeout_ms=200).values()))
            return self.count >= count

        wait_for(f"{count:.0f} receipts", reached, 90)


def a_crew(field: Field, *flags: str) -> list[Worker]:
    """One intake and two region workers; ``flags`` break the region workers on purpose."""
    return [field.worker("intake", "a"), *(field.worker("region", name, *flags) for name in "ab")]


def publish(field: Field, chance: random.Random, reports: int) -> None:
    """Reports of both regions, each about a household of its own."""
    for _ in range(reports):
        source, place = chance.choice(SOURCES)
        field.publish(a_plain_report(chance, source_id=source, municipality=place))
    field.producer.flush()


def storm(field: Field, chance: random.Random, reports: int, kills: int) -> None:
    """Workers are killed at random moments while they work, until every report has its receipt."""
    workers = a_crew(field)
    publish(field, chance, reports)
    receipts = Receipts(field)
    for moment in sorted(chance.uniform(0.02, 0.8) * reports for _ in range(kills)):
        receipts.reach(moment)
        victim = chance.choice(workers)
        victim.kill()
        victim.start()
    receipts.reach(reports)


def aimed_storm(field: Field, chance: random.Random, reports: int, kills: int, *flags: str) -> None:
    """Region workers that are broken on purpose are killed where they say that they are in the window.

    What such a stage loses never gets a receipt: the storm is over when both groups have read everything.
    """
    intake, *writers = a_crew(field, *flags)
    publish(field, chance, reports)
    for _ in range(kills):
        seen = {worker: worker.log().count("in_the_window") for worker in writers}
        victim = wait_for(
            "a worker in the window",
            lambda seen=seen: next((w for w in writers if w.log().count("in_the_window") > seen[w]), None),
        )
        victim.kill()
        victim.start()
    wait_for("everything read", lambda: field.read_by("intake", "reports") and field.read_by("region", "inbox"))
    for worker in (intake, *writers):
        worker.stop()
