"""The contract as files: a JSON Schema per message, and AsyncAPI for all topics that others touch.

``python -m topics.contract`` writes them beside this module. They are committed, and a test holds that they
are what the code says, so a change of contract is seen as one.
"""

import inspect
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter

from topics import codes, journal, specs
from topics.answers import Act, Answer
from topics.envelope import LONGEST
from topics.journal import Record
from topics.offers import DeadLetter, Notice, Offer, Recall, Receipt
from topics.reports import PAYLOAD_LIMIT, Report
from topics.specs import TopicSpec
from topics.transfers import Transfer

HERE = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFS = "#/$defs/{model}"

_SOMEBODY_OR_SOMEWHERE = {
    "anyOf": [
        {"properties": {"kind": {"const": "ADVICE"}}, "required": ["kind"]},
        {"properties": {"participants": {"minItems": 1}}, "required": ["participants"]},
        {"properties": {"address": {"type": "object"}}, "required": ["address"]},
    ]
}
_REASON_WITH_REFUSAL = {
    "if": {"properties": {"state": {"enum": ["REFUSED", "RETURNED"]}}, "required": ["state"]},
    "then": {"properties": {"reason": {"type": "string"}}, "required": ["reason"]},
    "else": {"properties": {"reason": {"type": "null"}}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One message of the contract."""

    name: str
    kind: str
    """The CloudEvents ``type``."""
    model: type[Any]
    title: str
    event_id: str
    """What the CloudEvents ``id`` is; the NL GOV profile wants that said."""
    subject: str
    rules: dict[str, Any] | None = None
    """What the model checks across fields."""


MESSAGES: tuple[Published, ...] = (
    Published(
        name="report", kind=specs.REPORT_TYPE, model=Report, title="Melding",
        event_id="the sender's own, of this publication; repeats are known by the report's identity instead",
        subject="report id", rules=_SOMEBODY_OR_SOMEWHERE,
    ),
    Published(
        name="answer", kind=specs.ANSWER_TYPE, model=Answer, title="Antwoord op een aanbod",
        event_id="the receiver's own, of this publication", subject="case id", rules=_REASON_WITH_REFUSAL,
    ),
    Published(
        name="act", kind=specs.ACT_TYPE, model=Act, title="Handeling",
        event_id="the act id", subject="case id",
    ),
    Published(
        name="receipt", kind=specs.RECEIPT_TYPE, model=Receipt, title="Ontvangstbericht",
        event_id="the receipt id, the same when it is made again", subject="report id, when it could be read",
    ),
    Published(
        name="offer", kind=specs.OFFER_TYPE, model=Offer, title="Aanbod",
        event_id="the same when it is made again", subject="case id",
    ),
    Published(
        name="recall", kind=specs.RECALL_TYPE, model=Recall, title="Intrekking van een aanbod",
        event_id="the same when it is made again", subject="case id",
    ),
    Published(
        name="notice", kind=specs.NOTICE_TYPE, model=Notice, title="Kennisgeving",
        event_id="the notice id, the same when it is made again", subject="case id, when there is one",
    ),
    Published(
        name="transfer", kind=specs.TRANSFER_TYPE, model=Transfer, title="Overdracht tussen regio's",
        event_id="the transfer id, the same when it is made again", subject="case id",
    ),
    Published(
        name="dead-letter", kind=specs.DEAD_LETTER_TYPE, model=DeadLetter, title="Afgekeurd bericht",
        event_id="the letter id, the same when it is made again", subject="none",
    ),
    Published(
        name="journal-record", kind=specs.JOURNAL_TYPE, model=Record, title="Journaalregel",
        event_id="region and sequence number", subject="none",
    ),
)  # fmt: skip


def files() -> dict[str, str]:
    """Every file of the contract, by its path from this folder. Pure."""
    found = {f"schemas/{message.name}.json": _json(schema(message)) for message in MESSAGES}
    found["asyncapi.yaml"] = _HEAD + yaml.dump(
        asyncapi(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110
    )
    return found


def write() -> None:
    """Bring the files beside this module up to date."""
    for path, text in files().items():
        target = HERE / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")


_HEAD = "# Written by `python -m topics.contract`; change the models or the specs, not this file.\n"


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _json(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def schema(message: Published) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one message; objects are closed."""
    if issubclass(message.model, BaseModel):
        found = message.model.model_json_schema(ref_template=_DEFS)
    else:
        found = _closed(TypeAdapter(message.model).json_schema(ref_template=_DEFS), message.model)
    found.pop("title", None)
    for name, definition in found.get("$defs", {}).items():
        code = getattr(codes, name, None)
        if "enum" in definition and code is not None:
            definition["x-nl"] = {str(one.value): one.nl for one in code}
            definition["x-cbs"] = {str(one.value): one.cbs for one in code if one.cbs}
            if not definition["x-cbs"]:
                del definition["x-cbs"]
    return {
        "$schema": DIALECT,
        "$id": f"urn:nld:meldstroom:schema:{message.name}:{specs.VERSION}",
        "title": message.title,
        **found,
        **(message.rules or {}),
    }


def _closed(found: dict[str, Any], top: type[Any]) -> dict[str, Any]:
    """Dataclasses are open to pydantic; ours refuse what they do not know, and always write their type."""
    for name, definition in [(top.__name__, found), *found["$defs"].items()]:
        if definition.get("type") != "object":
            continue
        definition["additionalProperties"] = False
        definition["required"] = list(definition["properties"])
        kind = definition["properties"].get("type", {})
        if "v" in definition["properties"]:
            definition["properties"]["v"] = {"const": journal.FORMAT}
        if "default" in kind:
            definition["properties"]["type"] = {"const": kind["default"]}
        definition.setdefault("description", inspect.getdoc(getattr(journal, name)))
    return found


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.1.0, from Meldstroom's point of view: it receives reports, and sends offers."""
    outside = [spec for spec in specs.SPECS if spec.types]
    return {
        "asyncapi": "3.1.0",
        "id": "urn:nld:meldstroom",
        "info": {
            "title": "Meldstroom",
            "version": "1.0.0",
            "description": (
                "Reports of domestic violence and child abuse, brought to the people who must act. "
                f"Each message is a CloudEvent by the NL GOV profile 1.1, with at most {PAYLOAD_LIMIT} "
                "bytes of JSON. Binary mode is written; binary and structured mode are read. One topic per "
                "source, receiver or region, since rights on a broker are per topic. An incompatible "
                "change is a new type; within one version fields are only added."
            ),
            "license": {"name": "EUPL-1.2", "url": "https://spdx.org/licenses/EUPL-1.2.html"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "region": {
                "host": "{bootstrap}",
                "protocol": "kafka-secure",
                "description": "The Kafka of the region; TLS, and a principal of your own.",
                "variables": {"bootstrap": {"description": "host:port, as your region gives it"}},
            }
        },
        "channels": {spec.name: _channel(spec) for spec in outside},
        "operations": {
            f"{'receive' if spec in specs.TO_INTAKE else 'send'}-{spec.name}": _operation(spec) for spec in outside
        },
        "components": {
            "messages": {message.name: _message(message) for message in MESSAGES},
            "messageTraits": {"cloudEvent": _CLOUD_EVENT},
        },
    }


def _channel(spec: TopicSpec) -> dict[str, Any]:
    names = [_named(kind).name for kind in spec.types]
    found: dict[str, Any] = {
        "address": spec.topic(f"{{{spec.of}}}" if spec.of else None),
        "title": spec.name,
        "description": f"{spec.why} Written by {spec.written_by}; read by {spec.read_by}.{_kept(spec)}",
        "servers": [{"$ref": "#/servers/region"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }
    if spec.of:
        found["parameters"] = {spec.of: {"description": _OF[spec.of]}}
    config = spec.config(min_insync=2)
    found["bindings"] = {
        "kafka": {
            "partitions": spec.partitions,
            "topicConfiguration": {
                "cleanup.policy": config["cleanup.policy"].split(","),
                "retention.ms": int(config["retention.ms"]),
                "max.message.bytes": int(config["max.message.bytes"]),
            },
            "bindingVersion": "0.5.0",
        }
    }
    return found


_OF = {
    "source": "Id of the integrator, as in the region's list of sources.",
    "receiver": "Id of the receiver, as in the region's directory.",
    "region": "Id of the region.",
}


def _kept(spec: TopicSpec) -> str:
    kept = "" if spec.kept is None else f" Kept {spec.kept // timedelta(days=1)} days."
    return kept + (" Read it read_committed." if spec.transactional else "")


def _operation(spec: TopicSpec) -> dict[str, Any]:
    names = [_named(kind).name for kind in spec.types]
    return {
        "action": "receive" if spec in specs.TO_INTAKE else "send",
        "channel": {"$ref": f"#/channels/{spec.name}"},
        "summary": spec.why,
        "messages": [{"$ref": f"#/channels/{spec.name}/messages/{name}"} for name in names],
    }


def _message(message: Published) -> dict[str, Any]:
    spec = next(spec for spec in specs.SPECS if message.kind in spec.types)
    return {
        "name": message.kind,
        "title": message.title,
        "summary": (inspect.getdoc(message.model) or "").split("\n\n")[0].replace("\n", " "),
        "description": (
            f"CloudEvents id: {message.event_id}. Subject: {message.subject}. Time: when the publisher "
            "registered it, never when something happened."
        ),
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "headers": {"type": "object", "properties": {"ce_type": {"const": message.kind}}},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./schemas/{message.name}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": spec.key}, "bindingVersion": "0.5.0"}},
    }


def _named(kind: str) -> Published:
    return next(message for message in MESSAGES if message.kind == kind)


def _attribute(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST, "description": description, **more}


_CLOUD_EVENT: dict[str, Any] = {
    "contentType": "application/json",
    "headers": {
        "type": "object",
        "description": (
            "CloudEvents 1.0 in Kafka's binary mode, each header once, UTF-8. No key and no header holds "
            "a citizen service number."
        ),
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": _attribute("Unique within the source."),
            "ce_source": _attribute("Who publishes, as a URN.", pattern="^urn:nld:.+$"),
            "ce_type": _attribute("What it is, with its version."),
            "ce_time": _attribute("RFC 3339 with its zone.", format="date-time"),
            "ce_subject": _attribute("An id of ours or yours; never of a person."),
            "content-type": {"type": "string", "pattern": "^application/json"},
        },
    },
}


if __name__ == "__main__":
    write()
