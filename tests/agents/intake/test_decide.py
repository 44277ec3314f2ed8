"""What intake makes of one published record: it comes on a lane whatever it is, and nothing of a person in clear."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.facts import facts_of, read_facts
from agents.intake.decide import bring, registry
from agents.matching import links_of, read_links
from agents.policy.region import RegionConfig
from agents.sealing import RegionKeys, unseal
from agents.stage.lane import Arrived
from tests.cases import CITIZENS, POLICE, WEDNESDAY, a_child, a_man, a_report, a_woman, an_address, an_id, reports
from tests.world import World, at, entropy, regions, with_texts
from topics import envelope, specs
from topics import journal as j
from topics.codes import DeadLetterReason
from topics.reading import read_report

KEYS: RegionKeys = regions()["hollands-midden"].keys
MINUTE = 60_000


def published(value: bytes | None, *, source: str = POLICE, kind: str = specs.REPORT_TYPE, **changes: Any) -> Arrived:
    """A report as it lies on its topic."""
    config = regions()["hollands-midden"]
    urn = next(found.source for found in config.sources if found.id == source)
    headers = envelope.write(id="1", type=kind, source=changes.pop("urn", urn), time_ms=at(WEDNESDAY), subject=None)
    made: dict[str, Any] = {"topic": specs.REPORTS.topic(source), "partition": 0, "offset": 7, "at": at(WEDNESDAY)}
    return Arrived(**made | {"key": None, "value": value, "headers": tuple(headers)} | changes)


def brought(record: Arrived) -> Any:
    """What comes on the lane, through its bytes."""
    found = bring(record, registry(regions()), an_id("key"), entropy())
    return j.decode_lane(j.encode_lane(found.message))


def report(**changes: Any) -> Arrived:
    return published(json.dumps(a_report(**changes)).encode(), source=changes.get("source_id", POLICE))


def test_a_report_comes_split_and_sealed_on_its_region_s_inbox():
    record = report(yes=("A3",))
    found = bring(record, registry(regions()), an_id("key"), entropy())

    # Then it is on the inbox of its region
    assert found.lane == specs.INBOX.topic()
    assert (found.region, found.partition) == ("hollands-midden", 1)
    said = found.message.input
    assert isinstance(said, j.ReportInput)
    assert set(said.sealed) == {"facts", "links", "rest", "reporter"}
    assert (said.source, said.source_kind, said.kind, said.version) == (POLICE, "POLICE", "REPORT", 1)

    # And the region can open each part again, none of the others holding the reporter
    key = KEYS.unwrapped(found.message.wrap, found.message.wrapped)
    parts = {part: unseal(key, said.key_id, part, sealed) for part, sealed in said.sealed.items()}
    assert read_facts(parts["facts"]).indicators["A3"] == "YES"
    assert {link.certainty for link in read_links(parts["links"])} == {"CERTAIN", "PROBABLE", "POSSIBLE"}
    assert b"Ottevanger" in parts["reporter"]
    assert all(b"Ottevanger" not in plain for part, plain in parts.items() if part != "reporter")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param(report(municipality="9998"), DeadLetterReason.UNKNOWN_MUNICIPALITY, id="no municipality"),
        pytest.param(
            published(json.dumps(a_report()).encode(), source=CITIZENS),
            DeadLetterReason.SOURCE_MISMATCH,
            id="another topic",
        ),
        pytest.param(
            published(json.dumps(a_report()).encode(), urn="urn:nld:oin:00000001999975006000:systeem:zaaksysteem"),
            DeadLetterReason.SOURCE_MISMATCH,
            id="another system's urn",
        ),
        pytest.param(
            published(json.dumps(a_report()).encode(), kind=specs.ANSWER_TYPE),
            DeadLetterReason.ENVELOPE,
            id="an answer",
        ),
        pytest.param(published(b"{"), DeadLetterReason.NOT_JSON, id="half a message"),
        pytest.param(published(None), DeadLetterReason.EMPTY, id="a tombstone"),
        pytest.param(published(b"[]"), DeadLetterReason.CONTRACT, id="no object"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_in_is_brought_as_refused_and_says_why(record: Arrived, reason: DeadLetterReason):
    message = brought(record)

    assert isinstance(message.input, j.RefusedInput)
    assert message.input.reason == reason.value
    assert message.problem["errors"]
    assert not message.input.acute


def test_an_acute_sign_is_seen_in_what_cannot_be_read():
    message = brought(published(b'{"indicators": {"A3": "YES"'))

    assert message.input.acute


def test_a_byte_order_mark_does_not_stop_intake():
    # Given the same report with and without one
    plain = json.dumps(a_report(report_id=an_id("bom"))).encode()

    bare, marked = brought(published(plain)), brought(published(b"\xef\xbb\xbf" + plain))

    # Then both are the same report
    assert isinstance(marked.input, j.ReportInput)
    assert marked.input.fingerprint == bare.input.fingerprint


def test_a_moment_that_is_still_to_come_is_warned_of_and_lengthens_nothing():
    record = report(received_at="2026-03-18T11:00:00+01:00")

    message = brought(record)

    assert [warning["pointer"] for warning in message.warnings] == ["/received_at"]
    assert message.input.received == at(WEDNESDAY)


def test_terms_start_when_the_sender_knew_not_when_we_were_up_again():
    record = report()
    late = Arrived(record.topic, 0, 7, at(WEDNESDAY) + 600 * MINUTE, None, record.value, record.headers)

    assert brought(late).input.received == at(WEDNESDAY)


def region_of(configs: dict[str, RegionConfig], **changes: Any) -> str:
    """The region to which intake brings a report of the portal that all regions share."""
    urn = next(found.source for found in configs["hollands-midden"].sources if found.id == "landelijk-portaal")
    value = json.dumps(a_report(source_id="landelijk-portaal", **changes)).encode()
    record = published(value, source="landelijk-portaal", urn=urn)
    return bring(record, registry(configs), an_id("key"), entropy()).region


def test_the_household_chooses_among_the_regions_of_a_source():
    assert region_of(regions(), municipality="0772") == "brabant-zuidoost"
    assert region_of(regions(), municipality="0513") == "hollands-midden"
    # Nobody's: the first region that registered the source looks.
    assert region_of(regions(), municipality=...) == "brabant-zuidoost"
    assert region_of(regions(), municipality="0363") == "brabant-zuidoost"


@pytest.mark.parametrize("code", ["0501", "1992"])
@pytest.mark.parametrize("named", ["0501", "1992"])
def test_a_merged_municipality_lies_in_the_region_that_names_it_by_either_code(code: str, named: str):
    text = regions()["hollands-midden"].directory_text.replace('- "1931"', f'- "{named}"')
    configs = regions() | {"hollands-midden": with_texts("hollands-midden", directory=text)}

    assert region_of(configs, municipality=code) == "hollands-midden"


def test_who_names_the_municipality_of_the_day_comes_before_who_names_what_it_was():
    # Given a merger across regions, of which the one that lost something has not heard
    lost, won = (regions()[name].directory_text for name in ("brabant-zuidoost", "hollands-midden"))
    configs = {
        "brabant-zuidoost": with_texts("brabant-zuidoost", directory=lost.replace('- "0848"', '- "0501"')),
        "hollands-midden": with_texts("hollands-midden", directory=won.replace('- "1931"', '- "1992"')),
    }

    assert region_of(configs, municipality="0501") == "hollands-midden"


def test_white_space_and_order_make_no_other_report():
    plain = a_report(report_id=an_id("order"))
    backwards = dict(reversed(plain.items()))

    first = brought(published(json.dumps(plain).encode()))
    second = brought(published(json.dumps(backwards, indent=4).encode()))

    assert first.input.fingerprint == second.input.fingerprint


@given(reports(kinds=("REPORT", "ADVICE", "OTHER_CARE", "WITHDRAWAL")))
def test_nothing_of_a_person_is_readable_on_a_lane(plain: dict[str, Any]):
    message = j.encode_lane(brought(published(json.dumps(plain).encode())))

    for secret in ("Zonneveld", "06-55501234", plain["narrative"], *_of_persons(plain)):
        # Five letters can stand in base64 by chance.
        assert len(secret) < 6 or secret.encode() not in message


def _of_persons(plain: dict[str, Any]) -> list[str]:
    return [person[name] for person in plain["participants"] for name in ("surname", "bsn") if name in person]


@given(st.binary(max_size=300))
def test_whatever_bytes_come_something_comes_on_the_lane(value: bytes):
    message = brought(published(value))

    assert isinstance(message.input, j.RefusedInput)


def test_answers_and_acts_come_to_the_desk_with_what_was_said_sealed():
    world = World()
    world.publish(a_report())
    world.answer("ACKNOWLEDGED", note="De moeder belt vanavond terug.")
    world.act("SEEN", reason="Gezien door Ottevanger.")

    assert len(world.lanes[j.DESK]) == 2
    for raw in world.lanes[j.DESK]:
        assert b"moeder" not in raw
        assert b"Ottevanger" not in raw


# Facts and match keys ------------------------------------------------------------------------------------


def facts(**changes: Any) -> Any:
    return facts_of(read_report(orjson.dumps(a_report(**changes))), regions()["hollands-midden"].directory)


def codes(**changes: Any) -> set[tuple[str, str]]:
    """The match keys of a report that can join it to a case: all but the merely POSSIBLE ones."""
    found = links_of(read_report(orjson.dumps(a_report(**changes))), KEYS)
    return {(link.kind, link.code) for link in found if link.certainty != "POSSIBLE"}


def test_facts_hold_nothing_that_names_somebody():
    encoded = facts().encode().decode()

    for word in ("Verhoeven", "Sanne", "2801 ZX", "Wilgenhof", "Ottevanger", "Luide", "9999"):
        assert word not in encoded


@pytest.mark.parametrize(
    ("person", "vulnerable"),
    [
        pytest.param(a_child(), True, id="a minor"),
        pytest.param(a_child(is_minor=..., birth_date=...), True, id="a child of unknown age"),
        pytest.param(a_child(is_minor=..., birth_date="2008-03-18"), False, id="eighteen today"),
        pytest.param(a_child(is_minor=..., birth_date="2008-03-19"), True, id="eighteen tomorrow"),
        pytest.param(a_woman(pregnant="YES"), True, id="pregnant"),
        pytest.param(a_woman(role="MOTHER_OF_UNBORN"), True, id="mother of an unborn"),
        pytest.param(a_woman(dependent="YES"), True, id="dependent"),
        pytest.param(a_man(), False, id="none of these"),
    ],
)
def test_who_is_vulnerable(person: dict[str, Any], vulnerable: bool):
    assert facts(participants=[person]).vulnerable is vulnerable


@pytest.mark.parametrize(
    ("born", "infant"),
    [
        ("2025-03-18", False),
        ("2025-03-19", True),
        ("2025-03", True),
        ("2025-02", False),
        ("2025", True),
        ("2024", False),
        ("2026-02-30", True),
    ],
)
def test_an_infant_is_as_young_as_it_can_be(born: str, infant: bool):
    assert facts(participants=[a_child(birth_date=born)]).infant_or_unborn is infant


def test_a_month_lasts_to_its_last_day():
    # Given a child born in March of last year, and it is 30 March: it may have been born on the 31st
    late_march = {"received_at": "2026-03-30T10:00:00+02:00", "participants": [a_child(birth_date="2025-03")]}

    assert facts(**late_march).infant_or_unborn


@pytest.mark.parametrize(
    ("person", "known"),
    [
        pytest.param(a_woman(), True, id="grown up and not pregnant"),
        pytest.param(a_woman(pregnant=...), False, id="perhaps pregnant"),
        pytest.param(a_man(pregnant=...), True, id="a man"),
        pytest.param(a_man(pregnant=..., sex="UNKNOWN"), False, id="perhaps a woman"),
        pytest.param(a_child(birth_date=...), False, id="a child of unknown age"),
        pytest.param(a_man(birth_date=...), True, id="no minor, age unknown"),
        pytest.param(a_child(sex="FEMALE", pregnant=..., birth_date="2019-01-01"), True, id="a girl of seven"),
    ],
)
def test_who_is_known_to_be_no_infant_and_not_pregnant(person: dict[str, Any], known: bool):
    assert facts(participants=[person]).everybody_known is known


def test_nobody_named_is_not_everybody_known():
    assert not facts(participants=[]).everybody_known


def test_a_household_is_known_again_however_its_names_are_written():
    first = codes(household=1, participants=[a_woman(1, surname="Öztürk", bsn=...)])
    second = codes(household=1, participants=[a_woman(1, surname="  ozturk", bsn=...)])

    assert first == second


def test_neighbours_and_other_numbers_of_a_house_are_other_households():
    # Scenario 23: 12-A and 12-B, same postcode, same surname
    first = codes(participants=[a_woman(bsn=...)], address=an_address(house_number_suffix="A"))
    second = codes(participants=[a_woman(bsn=...)], address=an_address(house_number_suffix="B"))

    assert not first & second


@pytest.mark.parametrize("own_address", [False, True], ids=["at the household's", "and named as each one's own"])
def test_two_women_of_one_name_in_a_shelter_are_two_households(own_address: bool):
    # Scenario 22; the shelter's address stands perhaps at the women too
    place = {"postcode": "2801 ZX", "house_number": 10} if own_address else {}
    shelter = an_address(institutional=True)

    first = codes(participants=[a_woman(0, bsn=..., **place)], address=shelter)
    second = codes(
        participants=[a_woman(0, bsn=..., given_names="Lotte", birth_date="1999-01-01", **place)], address=shelter
    )

    assert not first & second


def test_an_incident_number_is_one_incident_whoever_reports_it():
    first = codes(household=1, incident_number="2026-0417")
    second = codes(household=2, incident_number="2026-0417")

    assert {kind for kind, _ in first & second} == {"SAME_INCIDENT"}


def test_keys_of_another_region_say_nothing_here():
    other: RegionConfig = regions()["brabant-zuidoost"]
    report_ = read_report(orjson.dumps(a_report()))

    assert not {link.code for link in links_of(report_, KEYS)} & {link.code for link in links_of(report_, other.keys)}


def test_many_small_headers_still_fit_on_a_lane():
    # Given a record as large as a source may send, of nothing but small headers
    headers = tuple((chr(97 + number % 26), None) for number in range(specs.FROM_OUTSIDE_MAX // 3))
    record = Arrived(specs.REPORTS.topic(POLICE), 0, 0, at(WEDNESDAY), None, b"", headers)  # type: ignore[arg-type]

    message = j.encode_lane(bring(record, registry(regions()), an_id("key"), entropy()).message)

    assert len(message) < specs.INBOX.max_bytes
