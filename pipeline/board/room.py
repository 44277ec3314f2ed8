"""What all doors share: the regions, what is known of them, and the ways out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from agents.casework.case import OPEN, Case, Handover
from agents.casework.rules import Rules, rules_of
from agents.policy.directory import Directory
from agents.policy.region import RegionConfig
from pipeline.board.follower import Follower
from pipeline.board.identity import Person, Right
from pipeline.board.mirror import Mirror, Mirrored
from pipeline.board.publisher import Publisher
from pipeline.board.rows import OfferRow, most_urgent
from pipeline.board.sign_in import Sessions, SignIn
from pipeline.board.watched import Watchdog
from topics.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One board."""

    cluster: Cluster
    regions: dict[str, RegionConfig]
    mirror: Mirror
    follower: Follower
    publisher: Publisher
    sessions: Sessions
    sign_in: SignIn
    watchdog: Watchdog
    public_url: str
    made: dict[tuple[Any, ...], tuple[Any, bytes]] = field(default_factory=dict)
    """What screens were made of and when, for all who see the same."""
    now: Callable[[], float] = time.time

    def now_ms(self) -> int:
        """ms since 1970."""
        return int(self.now() * 1000)

    def mirrored(self, person: Person) -> Mirrored:
        """The region in which somebody works."""
        return self.mirror.regions[person.region]

    def directory(self, person: Person) -> Directory:
        """The directory of that region."""
        return self.regions[person.region].directory

    def rules(self, person: Person) -> Rules | None:
        """The rules in force there; None before the region's first record."""
        book = self.mirrored(person).book
        return rules_of(book) if book.policy else None

    def own_offers(self, person: Person) -> list[OfferRow]:
        """The open handovers that are this person's to answer, the most urgent first."""
        directory = self.directory(person)
        mine = {one.id for one in directory.own() if person.answers_for(one.id, directory)}
        return most_urgent(row for row in self._offers(person) if row.receiver in mine)

    def all_offers(self, person: Person) -> list[OfferRow]:
        """Every open handover of the region, for who may see all cases; the most urgent first."""
        return most_urgent(self._offers(person)) if person.may(Right.CASES) else []

    def _offers(self, person: Person) -> Iterator[OfferRow]:
        return chain.from_iterable(self.mirrored(person).offers.values())

    def case(self, person: Person, case_id: str) -> Case | None:
        """The case of that id, when this person may see it: of a team only what was offered to it."""
        case = self.mirrored(person).book.cases.get(case_id)
        if case is None or person.may(Right.CASES):
            return case
        return case if any(True for _ in self.answerable(person, case)) else None

    def answerable(self, person: Person, case: Case) -> Iterator[Handover]:
        """The handovers of a case that are this person's to answer: of a team only while it has them."""
        directory, whole = self.directory(person), person.may(Right.CASES)
        return (
            one
            for one in case.handovers
            if (whole or one.state in OPEN) and person.answers_for(one.receiver, directory)
        )

    def handover(self, person: Person, handover_id: str) -> tuple[Case, Handover] | None:
        """A handover that this person may see, with its case; one that has ended too: what is said of it is answered
        with how things stand."""
        case_id = self.mirror.case_of(person.region, handover_id)
        case = self.mirrored(person).book.cases.get(case_id) if case_id is not None else None
        found = case.handover(handover_id) if case is not None else None
        if case is None or found is None:
            return None
        mine = person.answers_for(found.receiver, self.directory(person))
        return (case, found) if mine or person.may(Right.CASES) else None
