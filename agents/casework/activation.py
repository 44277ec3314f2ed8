"""Another policy from here on: an act of a person, with a second one. Pure.

What was decided stays: a case keeps its colour, its destination and the moments that run until something else happens
to it, or a person has the rules judge it again (REEVALUATE), which raises and never lowers.
"""

from agents.casework.inputs import Draft
from agents.casework.reports import dead
from agents.casework.rules import Rules
from agents.policy.model import load_policy, readable, text_hash
from topics import journal as j
from topics.codes import ActKind, DeadLetterReason, NoticeKind


def activate(draft: Draft, rules: Rules, said: j.ActInput) -> None:
    """Decide by the policy that was sent, from the next record on; whether that may be, the one in force says."""
    book, text = draft.book, said.details["policy"]
    allowed = rules.policy.permission(ActKind.ACTIVATE_POLICY).allows(said.role, said.actor, said.second, None)
    # Intake has read it too; a release that is older or newer than that intake's may not be able to.
    if not allowed or text_hash(text) == book.policy_hash or not readable(text) or not _leaves_a_way(text, said.role):
        dead(draft, rules, DeadLetterReason.ACT_REFUSED, acute=False)
        return
    draft.add(j.Configured(policy_hash=text_hash(text), directory_hash=book.directory_hash))
    for desk in dict.fromkeys((rules.directory.desks.duty, rules.directory.desks.coordination)):
        draft.tell(NoticeKind.POLICY_ACTIVATED, desk, case_id=None)


def _leaves_a_way(text: str, role: str) -> bool:
    """Whether who puts it in force may put another one in force after it: the folder's is not read any more."""
    return role in load_policy(text).permission(ActKind.ACTIVATE_POLICY).roles
