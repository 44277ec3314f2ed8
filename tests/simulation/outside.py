"""Who publishes in the schedules: sources, receivers that answer what they see on their queues, and the centre."""

from dataclasses import dataclass
from typing import Any

import orjson

from tests.cases import REGION, WEDNESDAY, an_id, role_for
from tests.simulation import schedule as s
from tests.simulation.broker import Broker
from tests.simulation.processes import RECEIVERS
from tests.simulation.reports import GARBAGE, OUR_OIN, SOURCES, headers, report_headers, stock
from topics import specs


@dataclass
class Offer:
    """What a receiver sees on its queue."""

    receiver: str
    message: dict[str, Any]


class Outside:
    """Everybody outside. ``published`` says of each source what it published, by offset."""

    def __init__(self, broker: Broker) -> None:
        self.published: dict[str, list[str]] = {source: [] for source in SOURCES}
        self._broker = broker
        self._said = 0
        self._answered: tuple[str, str, dict[str, Any]] | None = None
        self._offers: list[Offer] = []
        self._queues_read: dict[str, int] = dict.fromkeys(RECEIVERS, 0)

    def report(self, step: s.Report) -> None:
        """A source publishes one of the stock."""
        ready = stock(step.number)
        self._publish(ready.source, ready.identity, ready.value)

    def _publish(self, source: str, identity: str, value: bytes) -> None:
        place = (specs.REPORTS.topic(source), 0)
        head = report_headers(source, self._broker.now, source, len(self._broker.logs[place]))
        self._broker.append(place, None, value, head)
        self.published[source].append(identity)

    def garbage(self, step: s.Garbage) -> None:
        """A source publishes what nobody can read."""
        source = SOURCES[step.source]
        self._publish(source, f"{source}/unreadable", GARBAGE[step.number])

    def answer(self, step: s.Answer) -> None:
        """A receiver answers an offer on its queue."""
        if step.again and self._answered is not None:
            self._say(*self._answered)
            return
        offer = self._offer(step.offer)
        if offer is None:
            return
        receiver = RECEIVERS[0] if step.wrong else offer.receiver
        answer = {
            "answer_id": an_id("answer", self._said),
            "case_id": offer.message["case_id"],
            "handover_id": offer.message["handover_id"],
            "state": step.state,
            "answered_at": WEDNESDAY,
        } | ({"reason": step.reason} if step.state in ("REFUSED", "RETURNED") else {})
        self._answered = (specs.ANSWERS.topic(receiver), specs.ANSWER_TYPE, answer)
        self._say(*self._answered)

    def act(self, step: s.Act) -> None:
        """Somebody of the centre acts on the case of an offer."""
        offer = self._offer(step.offer)
        if offer is None:
            return
        act = {
            "act_id": an_id("act", self._said),
            "case_id": offer.message["case_id"],
            "kind": step.kind,
            "actor": "m.vt-07",
            "role": role_for(step.kind),
            "reason": "Na overleg met het gezin.",
            "done_at": WEDNESDAY,
        }
        if step.second is not None:
            act["second"] = step.second
        if step.kind in ("RAISE", "LOWER"):
            act["colour"] = step.colour
        if step.kind == "SETTLE":
            act["indicators"] = dict.fromkeys(offer.message["open_questions"], step.settled)
        self._say(specs.ACTS.topic(REGION), specs.ACT_TYPE, act)

    def _say(self, topic: str, kind: str, message: dict[str, Any]) -> None:
        self._said += 1
        head = headers(kind, OUR_OIN, self._broker.now, topic, len(self._broker.logs[topic, 0]))
        self._broker.append((topic, 0), None, orjson.dumps(message), head)

    def _offer(self, from_newest: int) -> Offer | None:
        """An offer, as the receivers see them on their queues."""
        for receiver, start in self._queues_read.items():
            place = (specs.QUEUE.topic(receiver), 0)
            if place not in self._broker.logs:
                continue
            for record in self._broker.read(place, start):
                if dict(record.headers)["ce_type"] == specs.OFFER_TYPE.encode():
                    self._offers.append(Offer(receiver, orjson.loads(record.value or b"")))
            self._queues_read[receiver] = max(start, self._broker.end(place))
        return self._offers[-1 - from_newest % len(self._offers)] if self._offers else None
