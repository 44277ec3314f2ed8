"""When a worker must end because it does not get on, and when it must not."""

from agents.stage.watchdog import Watchdog

STUCK = {"inbox/0": (7, 12)}


def seen(dog: Watchdog, *looks: tuple[float, bool, dict[str, tuple[int, int]]]) -> list[str | None]:
    return [dog.see(*look) for look in looks]


def test_what_lies_there_and_does_not_move_for_a_minute_ends_the_worker():
    dog = Watchdog()

    *before, after = seen(dog, *((second, True, STUCK) for second in range(100, 165, 5)))

    assert before == [None] * 12
    assert after == "inbox/0: no progress"


def test_a_worker_that_gets_on_slowly_goes_on():
    dog = Watchdog()

    looks = ((100 + 25.0 * step, True, {"inbox/0": (step, 1_000)}) for step in range(20))

    assert set(seen(dog, *looks)) == {None}


def test_where_nothing_waits_nothing_has_to_move():
    dog = Watchdog()

    assert set(seen(dog, *((second, True, {"inbox/0": (12, 12)}) for second in range(100, 400, 5)))) == {None}


def test_one_stuck_region_is_enough_though_the_others_get_on():
    dog = Watchdog()

    looks = [(second, True, STUCK | {"desk/1": (second, 1_000)}) for second in range(100, 165, 5)]

    assert seen(dog, *looks)[-1] == "inbox/0: no progress"


def test_a_worker_without_an_assignment_for_a_minute_ends():
    dog = Watchdog()

    *before, after = seen(dog, *((second, False, {}) for second in range(100, 165, 5)))

    assert before == [None] * 12
    assert after == "no assignment"


def test_an_assignment_that_comes_in_time_counts():
    dog = Watchdog()

    assert (
        seen(dog, (100, False, {}), (125, False, {}), (150, True, {}), (175, False, {}), (200, False, {}))[-1] is None
    )


def test_what_could_not_move_while_nobody_could_look_gets_its_minute_again():
    # Given something that waits when the broker goes away for ten minutes
    dog = Watchdog()
    assert seen(dog, (100, True, STUCK), (105, True, STUCK)) == [None, None]

    # When it is seen again, still where it was, then the minute begins anew
    assert dog.see(705, True, STUCK) is None
    *before, after = seen(dog, *((second, True, STUCK) for second in range(710, 770, 5)))
    assert before == [None] * 11
    assert after == "inbox/0: no progress"
