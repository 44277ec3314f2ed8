"""Publish a report on Meldstroom. Copy this; it needs kafka-python 3 and nothing of Meldstroom.

    python publish.py rood.json
    KAFKA=127.0.0.1:9092 SOURCE=urn:nld:oin:...:systeem:... python publish.py report.json

SOURCE is the URN under which you are registered. The key of a record is the report's id: no name, no number of
a person ever stands in a key or a header, for those travel readable.
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime

from kafka import KafkaProducer

KAFKA = os.environ.get("KAFKA", "127.0.0.1:9092")
SOURCE = os.environ.get("SOURCE", "urn:nld:oin:00000001999971232000:systeem:zorgformulier")

with open(sys.argv[1], "rb") as file:
    data = file.read()
report = json.loads(data)

producer = KafkaProducer(
    bootstrap_servers=KAFKA,
    acks="all",  # it counts when every copy that must have it has it
    enable_idempotence=True,  # trying again makes no second copy
    # In earnest also: security_protocol="SSL", ssl_cafile=..., ssl_certfile=..., ssl_keyfile=...
)
sent = producer.send(
    f"meldstroom.reports.{report['source_id']}.v1",
    key=report["report_id"].encode(),
    value=data,
    headers=[  # CloudEvents 1.0, binary mode, NL GOV profile
        ("ce_specversion", b"1.0"),
        ("ce_id", str(uuid.uuid4()).encode()),
        ("ce_type", b"nl.veiligthuis-meldingen.melding-gedaan.v1"),
        ("ce_source", SOURCE.encode()),
        ("ce_time", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()),
        ("content-type", b"application/json"),
    ],
).get(timeout=30)  # an error is raised here: only without one has it arrived
producer.close()
print(f"{sent.topic} {sent.partition} {sent.offset}")
