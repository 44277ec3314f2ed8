"""What the board keeps: the same as the journal, whenever it stopped, and made again when it does not fit."""

from pathlib import Path

import pytest

from pipeline.board.mirror import Mirror, OtherJournal
from tests.cases import a_report
from tests.world import World
from topics import journal as j

REGION = "hollands-midden"


def a_world() -> World:
    """A region in which several things have happened."""
    world = World()
    for household in range(3):
        world.publish(a_report(household=household, yes=("M1",) if household else ()))
        world.answer("ACCEPTED")
        world.act("SEEN", role="bureaudienst")
    world.answer("STARTED")
    return world


def followed(mirror: Mirror, world: World, start: int = 0, end: int | None = None) -> None:
    for place, raw in list(enumerate(world.journal))[start:end]:
        mirror.take(j.decode(raw), 2 * place)


def live(mirror: Mirror) -> set[str]:
    return {case.id for case in mirror.regions[REGION].cases()}


def test_stopped_anywhere_and_begun_again_it_shows_the_same(tmp_path: Path):
    world = a_world()
    whole = Mirror(tmp_path / "whole", [REGION])
    followed(whole, world)
    book = whole.regions[REGION].book.encode()

    for stop in range(len(world.journal) + 1):
        path = tmp_path / f"at-{stop}"
        first = Mirror(path, [REGION])
        followed(first, world, end=stop)
        first.close()
        second = Mirror(path, [REGION])
        followed(second, world, start=stop)

        assert second.regions[REGION].book.encode() == book
        assert live(second) == live(whole) != set()
        for case in world.book.cases.values():
            assert second.history(REGION, case.id) == whole.history(REGION, case.id)


def test_a_history_is_every_record_about_the_case_without_what_was_sealed(tmp_path: Path):
    world = a_world()
    mirror = Mirror(tmp_path / "m", [REGION])
    followed(mirror, world)
    case = next(iter(world.book.cases.values()))

    found = mirror.history(REGION, case.id)
    assert [record.input.type for record in found] == ["report", "answer", "act"]
    assert not any(getattr(record.input, "sealed", None) for record in found)
    assert all(mirror.place(REGION, record.seq) == 2 * record.seq for record in found)
    assert "sealed" in world.journal[found[0].seq].decode()


def test_what_ended_is_not_shown_any_more_unless_something_is_owed_on_it(tmp_path: Path):
    world = World()
    world.publish(a_report())
    case = world.case
    mirror = Mirror(tmp_path / "m", [REGION])
    followed(mirror, world)
    assert live(mirror) == {case.id}

    read = len(world.journal)
    world.act("CLOSE", role="teamleider")
    followed(mirror, world, start=read)
    assert live(mirror) == ({case.id} if world.book.cases[case.id].terms else set())


def test_a_key_that_was_destroyed_is_not_known_any_more(tmp_path: Path):
    mirror = Mirror(tmp_path / "m", [REGION])
    mirror.key_at(REGION, "sleutel-1", 7)
    mirror.key_at(REGION, "sleutel-2", 9)
    mirror.key_at(REGION, "sleutel-1", None)

    assert (mirror.key_offset(REGION, "sleutel-1"), mirror.key_offset(REGION, "sleutel-2")) == (None, 9)
    assert mirror.keys_next(REGION) == 10


def test_a_file_that_is_none_or_of_another_form_is_made_anew(tmp_path: Path):
    path = tmp_path / "m"
    path.write_bytes(b"geen database, maar iets anders" * 100)
    mirror = Mirror(path, [REGION])
    followed(mirror, a_world())
    mirror.save()
    mirror._db.execute("PRAGMA user_version = 3")
    mirror.close()

    again = Mirror(path, [REGION])
    assert again.regions[REGION].next == 0
    followed(again, a_world())


def test_another_journal_is_noticed_and_everything_forgotten(tmp_path: Path):
    mirror = Mirror(tmp_path / "m", [REGION])
    world = a_world()
    followed(mirror, world)
    with pytest.raises(OtherJournal):
        followed(mirror, world)

    mirror.begin_again()
    followed(mirror, world)
    assert mirror.regions[REGION].book.encode()
