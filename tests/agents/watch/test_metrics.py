"""Figures: what was decided is counted once, labels come from closed sets, limits are bucket edges."""

from collections import Counter, deque
from types import SimpleNamespace
from typing import get_args

from hypothesis import HealthCheck, given, settings
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agents.policy.calendar import Netherlands
from agents.policy.directory import Kind
from agents.policy.model import moment
from agents.policy.terms import Minutes
from agents.stage.loop import Seen
from agents.watch.metrics import COLOURS, HOP_BUCKETS, HOPS, Metrics
from tests.cases import a_report, reports
from tests.world import World, at, regions, with_texts
from topics.codes import DeadLetterReason, NoticeKind, RefusalReason, SourceKind

LABELS = {
    "source_kind": {kind.value for kind in SourceKind},
    "colour": set(COLOURS),
    "destination": {"TEAM", "CENTRE", "NONE"},
    "reason": {reason.value for reason in DeadLetterReason} | {reason.value for reason in RefusalReason},
    "step": {kind.value for kind in NoticeKind} | {"RECALLED", "NONE"},
    "late": {"true", "false"},
    "hop": set(HOPS),
    "receiver_kind": {*get_args(Kind), "NONE"},
    "term": {rule.id for found in regions().values() for rule in found.policy.terms},
    "in_time": {"true", "false"},
    "region": set(regions()),
    "group": {"meldstroom-intake", "meldstroom-region"},
    "topics": {"reports", "answers", "acts", "inbox", "desk"},
}


def _watched(world: World) -> Metrics:
    metrics = Metrics()
    world.writer._observe = metrics.decided
    metrics.follow_writer(world.region, world.writer)
    return metrics


def _samples(metrics: Metrics) -> dict[str, float]:
    metrics.look()
    page = generate_latest(metrics.registry).decode()
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_a_report_is_counted_once_by_source_colour_and_kind_of_destination():
    # Given a region that is watched
    world = World()
    metrics = _watched(world)

    # When a red report comes, and comes again
    report = a_report(indicators={"A2": "YES"})
    world.publish(report)
    world.publish(report)

    # Then it counts once as a report, and once as a repeat
    found = _samples(metrics)
    region = world.region
    assert found[f"meldstroom_reports_total{{region={region},source_kind=POLICE}}"] == 1
    assert found[f"meldstroom_decided_total{{colour=RED,destination=CENTRE,region={region}}}"] == 1
    assert found[f"meldstroom_repeats_total{{region={region}}}"] == 1
    assert found[f"meldstroom_open_cases{{colour=RED,region={region}}}"] == 1


def test_each_hop_of_a_handover_is_measured_in_seconds():
    world = World()
    metrics = _watched(world)
    world.publish(a_report())

    # When its receiver sees it after 10 minutes, accepts after another 20, and starts after two hours more
    world.pass_time(minutes=10)
    world.answer("ACKNOWLEDGED")
    world.pass_time(minutes=20)
    world.answer("ACCEPTED")
    world.pass_time(hours=2)
    world.answer("STARTED")

    # Then the hops are 600, 1,200 and 7,200 seconds: together the whole
    parts = _parts(_samples(metrics), "seconds")
    assert (parts["acknowledged"], parts["accepted"], parts["started"]) == (600, 1200, 7200)


def _parts(found: dict[str, float], what: str) -> dict[str, float]:
    """How long the parts lasted, by how they ended."""
    sums: dict[str, float] = {}
    for name, value in found.items():
        if name.startswith(f"meldstroom_handover_{what}_sum"):
            hop = name.split("hop=")[1].split(",")[0]
            sums[hop] = sums.get(hop, 0) + value
    return sums


def test_the_parts_of_a_way_with_four_handovers_add_up_to_the_whole():
    # Given a report on a Wednesday at ten that came in three minutes later
    world = World(start="2026-03-18T10:03:00+01:00")
    metrics = _watched(world)
    world.publish(a_report(received_at="2026-03-18T10:00:00+01:00", yes=("M1",)))

    # When a team refuses it, a desk is silent until it is not the right one, and two more have it before one begins
    world.pass_time(hours=5)
    world.answer("ACKNOWLEDGED")
    world.pass_time(hours=20)
    world.answer("REFUSED", reason="UNREACHABLE")
    world.pass_time(days=4)
    world.answer("ACCEPTED")
    world.pass_time(hours=7)
    world.answer("RETURNED", reason="UNREACHABLE")
    world.pass_time(hours=30)
    world.answer("REFUSED", reason="UNREACHABLE")
    world.pass_time(hours=1)
    world.answer("ACCEPTED")
    world.pass_time(hours=2)
    world.answer("STARTED")

    # Then the parts are the whole, in time of the clock and of the office
    found, region = _samples(metrics), world.region
    whole = found[f"meldstroom_handover_whole_seconds_sum{{colour=YELLOW,region={region}}}"]
    assert sum(_parts(found, "seconds").values()) == whole
    received = moment(at("2026-03-18T10:00:00+01:00"))
    worked = Netherlands().worked(received, moment(world.now)).total_seconds()
    assert sum(_parts(found, "working_seconds").values()) == worked
    assert found[f"meldstroom_handovers_per_case_sum{{colour=YELLOW,region={region}}}"] == 4


def test_what_was_done_in_time_and_what_is_open_can_be_read():
    # Given two cases, of which one was assessed in time and one too late, and a third that waits
    world = World(start="2026-03-18T10:00:00+01:00")
    metrics = _watched(world)
    for household, days in ((0, 1), (1, 12)):
        world.publish(a_report(household=household, received_at=moment(world.now).isoformat()))
        world.pass_time(days=days)
        world.act("ASSESS", rating="NONE", outcome="HANDOVER")
    world.publish(a_report(household=2, received_at=moment(world.now).isoformat()))
    world.pass_time(days=8)

    found, region = _samples(metrics), world.region
    for term in ("T05", "T06"):
        for in_time in ("true", "false"):
            name = f"meldstroom_terms_done_total{{in_time={in_time},region={region},term={term}}}"
            assert found[name] == 1, name
    assert found[f"meldstroom_owed{{region={region},term=T05}}"] == 1
    assert found[f"meldstroom_owed_reminded{{region={region},term=T05}}"] == 1
    silent = {name.split("step=")[1][:-1]: n for name, n in found.items() if "silent_handovers" in name and n}
    waiting = [case.awaiting() for case in world.book.cases.values()]
    assert silent == Counter(one.last_step() or "NONE" for one in waiting if one is not None)
    assert set(silent) != {"NONE"}


def test_every_elapsed_limit_of_the_policies_is_a_bucket_edge():
    for config in regions().values():
        policy = config.policy
        terms = [*policy.accept.values(), *(step.at for steps in policy.desk_ladder.values() for step in steps)]
        for term in terms:
            if isinstance(term, Minutes):
                assert term.minutes * 60 in HOP_BUCKETS, term


def test_a_dead_letter_is_counted_by_its_reason():
    world = World()
    metrics = _watched(world)

    world.publish(b"no json", source="politie-hollands-midden")

    assert _samples(metrics)[f"meldstroom_deadletters_total{{reason=not_json,region={world.region}}}"] == 1


def test_a_step_of_a_ladder_and_a_recall_are_counted():
    world = World()
    metrics = _watched(world)
    world.publish(a_report())

    world.pass_time(days=20)

    found = _samples(metrics)
    assert found[f"meldstroom_ladder_steps_total{{late=false,region={world.region},step=REMINDER}}"] >= 1
    assert found[f"meldstroom_recalls_total{{region={world.region}}}"] == 1


def test_the_state_of_a_region_and_its_batches_can_be_read():
    metrics = Metrics()
    region = SimpleNamespace(name="hollands-midden", seen=Seen(state="running", batch_seconds=deque([0.02, 0.03])))
    metrics.follow_stage(SimpleNamespace(regions={0: region}, coming={}), regions())  # type: ignore[arg-type]

    first, second = _samples(metrics), _samples(metrics)

    assert first["meldstroom_region_running{region=hollands-midden}"] == 1
    # What a scrape has counted is not counted again by the next one.
    assert second["meldstroom_stage_batch_seconds_count{region=hollands-midden}"] == 2
    region.seen.state = "stopped"
    assert _samples(metrics)["meldstroom_region_running{region=hollands-midden}"] == 0


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_labels_come_from_closed_sets(report: dict[str, object]):
    world = World()
    metrics = _watched(world)

    world.publish(report)
    world.pass_time(days=30)

    metrics.look()
    page = generate_latest(metrics.registry).decode()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            for name, value in sample.labels.items():
                if name != "le":
                    assert value in LABELS[name], f"{sample.name}: {name}={value}"


def test_a_drill_that_came_to_its_end_says_when():
    world = World()
    metrics = _watched(world)
    name = f"meldstroom_drill_last_success_seconds{{region={world.region}}}"
    for household, test in ((0, False), (1, True)):
        world.publish(a_report(household=household, test=test))
        world.answer("STARTED")
        world.act("CLOSE")
        assert _samples(metrics).get(name) == (world.now / 1000 if test else None)


def test_hours_without_anybody_on_duty_are_told_two_weeks_ahead():
    world = World()
    metrics = _watched(world)
    name = f"meldstroom_duty_gap_seconds{{region={world.region}}}"
    assert _samples(metrics)[name] == 0

    # Given a directory in which nobody does the weekends any more
    text = world.config.directory_text.replace("[SAT, SUN]", "[SAT]").replace("    fallback: [vt-hm-crisis]\n", "")
    world.writer.reconfigure(with_texts(world.region, directory=text))
    world._take(world.writer.begin(world.now))
    metrics = _watched(world)

    assert _samples(metrics)[name] == 2 * 24 * 3_600
