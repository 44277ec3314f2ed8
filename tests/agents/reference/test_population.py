"""How many people live where."""

from agents.reference import municipalities, population


def test_every_municipality_of_now_has_inhabitants_and_no_other():
    for code in (f"{number:04d}" for number in range(2000)):
        of_now = municipalities.known(code) and code not in ("0501", "0530", "0614")  # ended in 2022

        assert (population.inhabitants(code) is not None) is of_now, code


def test_together_they_are_the_netherlands():
    # 17.4 million on 1 January 2020 (CBS)
    assert 17_350_000 < population.nation() < 17_450_000
    assert population.inhabitants("0772") == 233_983
