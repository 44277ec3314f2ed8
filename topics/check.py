"""Whether a report would be taken in: what an integrator asks before he connects."""

from dataclasses import dataclass

from topics import envelope
from topics.codes import DeadLetterReason
from topics.envelope import Envelope
from topics.offers import FieldError
from topics.problems import Refused, field_error
from topics.reading import read_report
from topics.reports import Report
from topics.safejson import acute_indicator, guard
from topics.specs import REPORT_TYPE

_STRUCTURED = [("content-type", b"application/cloudevents+json")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """``report`` when it would be taken in; otherwise ``reasons`` and ``errors``, all at once.

    ``acute`` names an acute indicator that can be read in the bytes, whether or not they are refused.
    """

    report: Report | None
    envelope: Envelope | None
    reasons: tuple[DeadLetterReason, ...]
    errors: tuple[FieldError, ...]
    acute: str | None

    @property
    def ok(self) -> bool:
        """Whether it would be taken in, as far as the message alone can tell."""
        return not self.reasons


def check(raw: bytes) -> CheckResult:
    """A bare report (what stands in ``data``), or a whole CloudEvent in structured mode."""
    reasons: list[DeadLetterReason] = []
    errors: list[FieldError] = []
    event: Envelope | None = None
    report: Report | None = None
    data, below = raw, ""
    if _is_event(raw):
        try:
            event = envelope.read(_STRUCTURED, None, raw)
        except Refused as refusal:
            reasons.append(refusal.reason)
            errors.extend(refusal.errors)
        else:
            if event.type != REPORT_TYPE:
                reasons.append(DeadLetterReason.ENVELOPE)
                errors.append(field_error("/type", "choice", allowed=REPORT_TYPE))
        # A wrong envelope does not hide what is wrong inside.
        data, below = envelope.structured_data(raw), "/data"
    if data or not below:
        try:
            report = read_report(data)
        except Refused as refusal:
            reasons.append(refusal.reason)
            errors.extend(one.model_copy(update={"pointer": below + one.pointer}) for one in refusal.errors)
    return CheckResult(
        report=None if reasons else report,
        envelope=event,
        reasons=tuple(dict.fromkeys(reasons)),
        errors=tuple(errors),
        acute=acute_indicator(raw),
    )


def _is_event(raw: bytes) -> bool:
    # A report has none of these names, so a CloudEvent that lacks some of them is still known as one.
    try:
        found = guard(raw, envelope.STRUCTURED_LIMIT)
    except Refused:
        return False
    return isinstance(found, dict) and bool({"specversion", "data", "data_base64"} & set(found))
