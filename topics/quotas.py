"""How fast a source may publish: the brokers' client quotas, compared and set as the topics are.

A broker holds back the answers of who is over his quota, and reads nothing more from his connections for as long.
That client waits, and nobody else does. A quota goes by the principal: what a client has shown to be. Where an
entry names none it goes by the client-id, which a client chooses himself.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaTimeoutError, for_code
from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest

from topics.specs import REPORTS, Quota, QuotaKind
from topics.texts import Language, text

MATCH_ANY = 2
VISIBLE_WITHIN_S = 20.0

Limits = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetQuota:
    """One limit of a source differs."""

    topic: str
    kind: QuotaKind
    client: str
    limit: str
    was: float | None
    to: float

    def say(self, language: Language) -> str:
        """The step, for an operator."""
        return text(
            "topic.set_quota",
            language,
            topic=self.topic,
            kind=self.kind,
            client=self.client,
            limit=self.limit,
            was="-" if self.was is None else f"{self.was:.0f}",
            to=f"{self.to:.0f}",
        )


def actual_quotas(admin: KafkaAdminClient) -> dict[tuple[QuotaKind, str], Limits]:
    """The limits in force for each user and each client-id that has some."""
    found: dict[tuple[QuotaKind, str], Limits] = {}
    kinds: tuple[QuotaKind, ...] = ("user", "client-id")
    for kind in kinds:
        # Strict: a user as such, not a user under one client-id.
        told = _ask(admin, DescribeClientQuotasRequest(components=[(kind, MATCH_ANY, None)], strict=True))
        _raise_for(told.error_code, told.error_message)
        for entry in told.entries or ():
            (entity,) = entry.entity
            if entity.entity_name is not None:
                found[kind, entity.entity_name] = {value.key: value.value for value in entry.values}
    return found


def plan_quotas(wanted: Iterable[Quota], actual: Mapping[tuple[QuotaKind, str], Limits]) -> tuple[SetQuota, ...]:
    """What must be set. Quotas that nobody asks for are left: who set them had a reason."""
    return tuple(
        SetQuota(topic=REPORTS.topic(quota.source), kind=quota.kind, client=quota.client, limit=limit, was=was, to=to)
        for quota in wanted
        for limit, to in quota.limits.items()
        if (was := actual.get((quota.kind, quota.client), {}).get(limit)) != to
    )


def apply_quotas(admin: KafkaAdminClient, steps: Iterable[SetQuota]) -> None:
    """Carry out a plan; returns when the broker that we talk to shows it."""
    limits: dict[tuple[QuotaKind, str], dict[str, float]] = {}
    for step in steps:
        limits.setdefault((step.kind, step.client), {})[step.limit] = step.to
    if not limits:
        return
    entries = [
        ([(kind, client)], [(limit, to, False) for limit, to in found.items()])
        for (kind, client), found in limits.items()
    ]
    for entry in _ask(admin, AlterClientQuotasRequest(entries=entries, validate_only=False)).entries:
        _raise_for(entry.error_code, entry.error_message)
    until = time.monotonic() + VISIBLE_WITHIN_S
    while not _visible(limits, actual_quotas(admin)):
        if time.monotonic() > until:
            raise KafkaTimeoutError(f"quotas are not in force after {VISIBLE_WITHIN_S:.0f} s")
        time.sleep(0.05)


def _visible(limits: Mapping[tuple[QuotaKind, str], Limits], found: Mapping[tuple[QuotaKind, str], Limits]) -> bool:
    return all(who in found and wanted.items() <= dict(found[who]).items() for who, wanted in limits.items())


def _ask(admin: KafkaAdminClient, request: Any) -> Any:
    # The client knows these two requests, and has no method for them yet.
    return admin._manager.run(admin._manager.send, request)


def _raise_for(code: int, said: str | None) -> None:
    if code:
        raise for_code(code)(said)
