"""When a deadline may fire: only after every answer that came before it has been read (invariant 10)."""

import asyncio
from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition

from agents.stage.gate import Asks, Gate, Marks

ANSWERS = TopicPartition("answers", 0)
DUE = 999_000


@dataclass
class Answers:
    """One receiver's answers: how many lie on their topic, of how many intake has said that they are on the desk."""

    published: int = 0
    brought: int = 0
    now: int = 1_000_000
    read: int = 0
    """How far the region has read its desk."""
    away: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        self.gate = Gate(
            Asks(
                answers_end=self.answers_end,
                still_unread=self.still_unread,
                desk_end=self.desk_end,
                monotonic=lambda: self.now / 1000,
            )
        )

    async def answers_end(self, topics: tuple[str, ...]) -> Marks:
        self.asked += 1
        if self.away:
            raise OSError("away")
        return {ANSWERS: self.published}

    async def still_unread(self, marks: Marks) -> Marks:
        return {place: mark for place, mark in marks.items() if self.brought < mark}

    async def desk_end(self) -> int:
        return self.brought

    async def passed(self, due: int = DUE) -> int | None:
        """What the gate says a moment later each time, once the broker has answered what it asks."""
        self.now += 200
        if (at := self.at_once(due)) is None:
            await asyncio.sleep(0)
            at = self.at_once(due)
        return at

    def at_once(self, due: int = DUE) -> int | None:
        return self.gate.passed(due, self.now, self.read, ("answers",))


async def test_what_is_due_fires_by_the_moment_at_which_the_end_of_the_answers_was_asked_for():
    answers = Answers()

    assert await answers.passed() == answers.now


async def test_nothing_fires_while_an_answer_is_on_its_way_or_unread_on_the_desk():
    # Given an answer that lies on its topic
    answers = Answers(published=1)
    assert await answers.passed() is None
    asked_at = answers.now

    # When intake has brought it to the desk, and the region has not read it
    answers.brought = 1
    assert await answers.passed() is None

    # Then it may fire when that was read, by the moment of the first asking
    answers.read = 1
    assert await answers.passed() == asked_at


async def test_the_marks_of_one_deadline_let_no_later_one_fire():
    # Given a deadline whose answer lies unread on the desk
    answers = Answers(published=1, brought=1)
    assert await answers.passed() is None
    asked = answers.asked

    # When the answer was read and has ended it, and another falls due later while its answer is on its way
    answers.read, answers.published = 1, 2
    later = answers.now + 50

    # Then that one waits for its own answer
    assert await answers.passed(due=later) is None
    assert answers.asked == asked + 1
    answers.brought = answers.read = 2
    assert (await answers.passed(due=later) or 0) >= later


async def test_answers_that_keep_coming_hold_up_no_deadline():
    # Given a receiver who answers all the time, with intake always a little behind, and the region behind that
    answers = Answers(published=10)

    # When the deadline is asked for again and again
    moments = []
    for _ in range(10):
        moments.append(await answers.passed())
        answers.read, answers.brought, answers.published = answers.brought, answers.brought + 5, answers.published + 5

    # Then it fires as soon as what lay there when it was first asked for has been read
    assert any(moments)


async def test_a_broker_that_does_not_answer_opens_no_gate():
    # Given a broker that fails when it is asked where the answers end
    answers = Answers(published=1, away=True)
    with pytest.raises(OSError, match="away"):
        await answers.passed()

    # When it is asked again, then the gate is as closed as before
    answers.away = False
    assert await answers.passed() is None


async def test_while_it_asks_what_it_closed_for_counts_no_more():
    # Given a gate that has asked, and an answer that is published after that
    answers = Answers()
    assert answers.at_once() is None
    await asyncio.sleep(0)
    answers.published = 1

    # When the region is opened again before it looks at what came of it
    answers.gate.close()

    # Then the answer is waited for
    assert await answers.passed() is None


async def test_a_later_deadline_does_not_go_by_an_asking_that_was_under_way():
    # Given a gate that asks for one deadline
    answers = Answers()
    assert answers.at_once() is None
    await asyncio.sleep(0)

    # When that one is answered, and another falls due while its answer lies on its topic
    answers.now += 50
    answers.published = 1

    # Then it waits for its own
    assert await answers.passed(due=answers.now) is None
