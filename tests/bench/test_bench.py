"""The pieces of the benchmarks that can be wrong without anybody seeing it in the figures. No time is asserted."""

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaTimeoutError

from agents.casework.writer import CaseworkWriter
from agents.intake.decide import bring, registry
from agents.matching import links_of
from agents.policy.region import load_regions
from agents.stage.lane import Arrived
from pipeline import past
from pipeline.bench import HOUSES, Line, make, way_of
from tests.bench import outage, receivers, takeover
from tests.bench.bare import shape_of
from tests.bench.ground import FIRST, SECOND, Spent, cluster_of, cpu_s, rival_way
from tests.bench.latency import waited
from tests.bench.pressure import ORANGE
from tests.bench.profile import pure, shares
from tests.bench.run import lines
from tests.storm.field import CHECKOUT, REGIONS, Field, Worker
from tests.storm.storm import Following
from tests.world import entropy, regions
from topics import journal as j
from topics import specs
from topics.reading import read_report

NOW = 1_770_000_000_000


@pytest.mark.parametrize("region", [FIRST, SECOND])
@pytest.mark.parametrize(("indicators", "colour"), [({}, "GREEN"), (ORANGE, "ORANGE")])
def test_a_bench_report_is_taken_in_and_offered_where_it_is_waited_for(region, indicators, colour):
    # Given reports of a region as the benchmarks publish them
    way = way_of(regions()[region])
    made = make(way, random.Random(1), range(40), **indicators)

    # When intake and casework get them
    writer = CaseworkWriter(regions()[region], entropy(), lambda record, book: None)
    writer.begin(NOW)
    went = []
    for number, one in enumerate(made):
        published = Arrived(way.reports, 0, number, NOW, one.key, one.value, tuple(one.headers))
        lane = j.encode_lane(bring(published, registry(regions()), f"key-{number}", entropy()).message)
        went.append({out.topic for out in writer.decide(j.INBOX, Arrived("inbox", 0, number, NOW, None, lane, ()))})

    # Then each is a case of its own with that colour, and the groene are offered to the team that is waited for
    assert [case.colour for case in writer.book.cases.values()] == [colour] * 40
    if colour == "GREEN":
        assert all(one.queue in topics for one, topics in zip(made, went, strict=True))
        assert {one.queue for one in made} == set(way.queues.values())


def test_two_households_have_nothing_in_common():
    # Given households of one postcode whose numbers lie beside each other, or give the same house number
    keys, way = regions()[FIRST].keys, way_of(regions()[FIRST])
    way = replace(way, teams=tuple(team for team in way.teams if not team.postcodes)[:1])
    made = make(way, random.Random(1), [0, 1, HOUSES, 26 * HOUSES, 27 * HOUSES])

    # When they are looked for
    codes = [{link.code for link in links_of(read_report(one.value), keys)} for one in made]

    # Then no match key is of two of them
    assert all(codes)
    assert sum(map(len, codes)) == len(set().union(*codes))


def test_the_bare_loop_writes_what_casework_writes():
    shape = shape_of(regions())

    topics = sorted(out.topic.removeprefix("meldstroom.").split(".")[0] for out in shape.outgoing)
    assert topics == ["journal", "keys", "keys", "queue", "receipts"]
    assert shape.lane > len(make(way_of(regions()[FIRST]), random.Random(1), [0])[0].value)


def test_a_rival_has_topics_of_its_own():
    way = way_of(regions()[FIRST])

    other = rival_way(way, "bare")

    assert other.reports == "bare.reports.politie-oost-brabant.v1"
    assert not {*other.queues.values(), other.reports} & {*way.queues.values(), way.reports}


def test_latencies_are_summed_up():
    assert waited([*range(1, 101)]) == {"reports": 100, "p50_ms": 50, "p99_ms": 99, "max_ms": 100}
    assert waited([]) == {"reports": 0, "p50_ms": 0, "p99_ms": 0, "max_ms": 0}


def test_work_is_counted_by_process():
    # Given a process beside this one, and this one at work
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as beside:
        try:
            field = SimpleNamespace(workers=[], broker=SimpleNamespace(pid=beside.pid))

            # When both are watched
            with Spent(field) as spent:  # type: ignore[arg-type]
                while cpu_s(os.getpid()) - spent._before["bench"] < 0.1:
                    sum(range(100_000))
        finally:
            beside.kill()

    # Then what each used is told per 1,000 reports
    assert spent.cpu_s["bench"] >= 0.1
    assert spent.plain(500)["cpu_s_per_1000"]["bench"] == pytest.approx(spent.cpu_s["bench"] * 2, abs=0.001)
    assert spent.plain(1)["cpu_s_per_1000"]["broker"] > 0


def test_stacks_become_shares_of_the_work():
    found = shares(
        "run (a.py:1);bring (b.py:7) 3\nrun (a.py:2);bring (b.py:9);seal (c.py:4) 1\nselect (selectors.py:3) 96\n"
    )

    assert found["itself"] == {"bring (b.py)": 75.0, "seal (c.py)": 25.0}
    assert found["with_calls"] == {"run (a.py)": 100.0, "bring (b.py)": 100.0, "seal (c.py)": 25.0}


def test_without_py_spy_the_pure_part_is_profiled():
    found = pure(300)

    assert found["bring"]["us_a_report_profiled"] > 0
    assert "seal_bytes (sealing.py)" in found["bring"]["itself"]
    assert "_written (writer.py)" in found["decide"]["itself"]


def test_figures_are_printed_a_line_each():
    assert [line.split() for line in lines({"rivals": [{"way": "bare", "cpu": {"region": 1.5}}]})] == [
        ["rivals.0.way", "bare"],
        ["rivals.0.cpu.region", "1.5"],
    ]


def test_the_holder_of_a_region_is_who_opened_it_last(tmp_path: Path):
    # Given what two workers logged: the second took a region over, the first took it back
    workers = [Worker(SimpleNamespace(folder=tmp_path), "region", name) for name in "ab"]  # type: ignore[arg-type]
    said = [("a", "01", FIRST), ("a", "02", SECOND), ("b", "03", SECOND), ("b", "04", FIRST), ("a", "05", FIRST)]
    for name in "ab":
        (tmp_path / f"region-{name}.log").write_text(
            "Faust says something\n"
            + "".join(
                json.dumps({"event": "region_opened", "region": region, "at": at}) + "\n"
                for worker, at, region in said
                if worker == name
            )
        )

    assert takeover.holders(workers) == {FIRST: workers[0], SECOND: workers[1]}


def test_a_team_that_is_added_gets_the_cases_of_its_postcode(tmp_path: Path):
    # Given the sample regions
    shutil.copytree(REGIONS, tmp_path / "regions")
    field = SimpleNamespace(regions_folder=tmp_path / "regions")
    before = load_regions(field.regions_folder, development=True)[FIRST]

    # When many teams and a source are added to the first one
    source = before.sources[0].model_dump(mode="json", exclude_none=True) | {"id": receivers.NEW_SOURCE}
    receivers.add(field, [receivers.a_team(number) for number in range(30)], source)  # type: ignore[arg-type]

    # Then each has a postcode of its own, and is measured
    after = load_regions(field.regions_folder, development=True)[FIRST]
    teams = after.directory.receivers[len(before.directory.receivers) :]
    assert len(teams) == 30
    for team in teams:
        assert after.directory.team_for(team.municipalities[0], team.postcodes[0], date(2026, 11, 26)) == team
    assert [found.id for found in after.sources[len(before.sources) :]] == [receivers.NEW_SOURCE]
    assert set(receivers.some_teams(after).teams) <= set(teams)


async def test_what_was_not_confirmed_is_published_again():
    # Given an integrator with three reports, and a broker that confirms no second one
    integrator = outage.Integrator(regions()[FIRST])
    waiting = make(way_of(integrator.region), random.Random(1), range(3))

    class Producer:
        async def send_and_wait(self, topic: str, value: bytes, key: bytes, headers: object) -> None:
            if key == waiting[1].key:
                raise KafkaTimeoutError

    # When it publishes
    left = await integrator._publish(Producer(), waiting)  # type: ignore[arg-type]

    # Then it keeps that one, and counts on the others
    assert left == [waiting[1]]
    assert integrator.confirmed == {waiting[0].key.decode(), waiting[2].key.decode()}


def test_the_first_decision_is_of_a_report_and_after_the_broker_was_back():
    # Given a journal: a report before the outage; after it a record of the configuration, and two reports
    writer = CaseworkWriter(regions()[FIRST], entropy(), lambda record, book: None)
    (configured,) = (out.value for out in writer.begin(NOW) if out.topic == specs.JOURNAL.topic())
    (one,) = make(way_of(regions()[FIRST]), random.Random(1), [0])
    published = Arrived(way_of(regions()[FIRST]).reports, 0, 0, NOW, one.key, one.value, tuple(one.headers))
    lane = j.encode_lane(bring(published, registry(regions()), "key", entropy()).message)
    out = writer.decide(j.INBOX, Arrived("inbox", 0, 0, NOW, None, lane, ()))
    (decided,) = (found.value for found in out if found.topic == specs.JOURNAL.topic())
    stamped = [
        SimpleNamespace(timestamp=NOW + at, value=value)
        for at, value in ((-5_000, decided), (1_000, configured), (4_250, decided), (9_000, decided))
    ]

    assert outage._first_decisions(stamped, NOW) == {FIRST: 4.25}


@pytest.mark.broker
async def test_a_worker_goes_on_from_a_past_that_was_written_by_hand(tmp_path: Path):
    field = Field(tmp_path)
    try:
        # Given a past of twenty reports, each accepted and started with by its team
        await past.build(cluster_of(field), field.regions_folder, FIRST, 60)

        # When workers start, and a report comes in
        field.worker("intake", "a")
        worker = field.worker("region", "a")
        line = Line(cluster_of(field), way_of(field.regions[FIRST]), random.Random(1), past.AFTER_THE_PAST)
        async with line:
            assert await takeover.decided(line, 0.0)

        # Then the journal goes on where the past ended, at the lane's next position
        following = Following(field)
        records = following.records(FIRST)
        following.close()
        assert [record.seq for record in records] == list(range(62))
        assert (records[-1].lane, records[-1].offset) == (j.INBOX, 20)
        assert [record.offset for record in records if record.lane == j.DESK] == list(range(40))
        assert any(isinstance(event, j.Offered) for event in records[-1].events)
        assert '"replayed": 61' in worker.log()
        assert "hole_in_delivery" not in worker.log()
    finally:
        field.close()


@pytest.mark.broker
def test_the_command_measures_with_a_broker_of_its_own():
    # When an operator asks for figures
    asked = [sys.executable, "-m", "pipeline.cli", "bench", "--trickle", "20", "--backlog", "60", "-o", "json"]
    ran = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True, timeout=240, check=False)

    # Then every report was followed to its offer
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["trickle"], found["backlog"]) == (20, 60)
    assert found["reports_per_s"] > 0
    assert 0 < found["latency_p50_ms"] <= found["latency_p99_ms"] <= found["latency_max_ms"]
