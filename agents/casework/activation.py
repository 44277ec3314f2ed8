"""Another policy from here on: an act of a person, with a second one. Pure.

What was decided stays: a case keeps its colour, its destination and the moments that run until something else happens
to it, or a person has the rules judge it again (REEVALUATE), which raises and never lowers.
"""

from agents.casework.inputs import Draft
from agents.casework.reports import dead
from agents.casework.rules import Rules
from agents.policy.loading import PolicyError
from agents.policy.model import load_policy, text_hash
from topics import journal as j
from topics.codes import ActKind, DeadLetterReason, NoticeKind


def activate(draft: Draft, rules: Rules, said: j.ActInput) -> None:
    """Decide by the policy that was sent, from the next record on; whether that may be, the one in force says."""
    book, text = draft.book, said.details["policy"]
    allowed = rules.policy.permission(ActKind.ACTIVATE_POLICY).allows(said.role, said.actor, said.second, None)
    if not allowed or text_hash(text) == book.policy_hash or not _holds(text):
        dead(draft, rules, DeadLetterReason.ACT_REFUSED, acute=False)
        return
    draft.add(j.Configured(policy_hash=text_hash(text), directory_hash=book.directory_hash))
    for desk in dict.fromkeys((rules.directory.desks.duty, rules.directory.desks.coordination)):
        draft.tell(NoticeKind.POLICY_ACTIVATED, desk, case_id=None)


def _holds(text: str) -> bool:
    """Intake has read it; a release that is older or newer than that intake's may not be able to."""
    try:
        load_policy(text)
    except PolicyError:
        return False
    return True
