"""How a business sees a customer: stage, notes, tags, the next step, the source. Decisions are pure.

The model and people say how interested somebody is; what is a fact is never theirs to say: an appointment makes a lead
`booked`, its end makes it a `customer`. Conversations that turned out to be one person's are read as one lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from functions.shared.contracts import ConversationId, TenantId
from functions.shared.keys import CONVERSATION, LEAD, conversation_pk
from functions.shared.tables import ConversationItem, LeadItem, OptionalInt, get_together

Stage = Literal["new", "engaged", "hot", "booked", "customer", "lost"]
"""`new`: wrote, and nobody has answered yet; `engaged`: talks with us; `hot`: is about to buy; `booked`: has an
appointment; `customer`: has been here; `lost`: does not want to."""
Interest = Literal["engaged", "hot", "lost"]
"""What somebody may say of a lead; the other stages are facts."""
STAGES: tuple[Stage, ...] = get_args(Stage)

MAX_NOTES, MAX_NOTE = 20, 300
MAX_TAGS, MAX_TAG = 10, 30
MAX_NEXT_STEP = 200
MAX_SOURCE = 60
TOLD_KEPT = 5

_FURTHER: dict[Stage, int] = {"lost": 0, "new": 1, "engaged": 2, "hot": 3, "customer": 4, "booked": 5}


@dataclass(frozen=True, slots=True)
class Note:
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Lead:
    """Times in Unix milliseconds."""

    stage: Stage = "new"
    source: str = "whatsapp"
    notes: tuple[Note, ...] = ()
    """Oldest first."""
    tags: tuple[str, ...] = ()
    next_step: str | None = None
    visit_at: int | None = None
    """When the last of the appointments that are booked ends."""
    customer_since: int | None = None
    hot_told_at: int | None = None
    """When the owner was told that the lead is hot: once."""
    told_at: tuple[int, ...] = ()
    """When the assistant last told the owner something about this customer, newest last."""
    revision: int = 0
    """Raised by every change; 0: never changed."""


# ---- what is known ------------------------------------------------------------------------------------------------


def settled(lead: Lead, now_ms: int) -> Lead:
    """The lead at `now_ms`: who was booked until then has been here."""
    if lead.stage == "booked" and lead.visit_at is not None and lead.visit_at <= now_ms:
        return replace(lead, stage="customer", customer_since=lead.customer_since or lead.visit_at, visit_at=None)
    return lead


def with_appointments(lead: Lead, ends: Sequence[int], now_ms: int) -> Lead:
    """The lead whose coming appointments end at `ends`, perhaps none any more."""
    known = settled(lead, now_ms)
    if ends:
        return replace(known, stage="booked", visit_at=max(ends))
    if known.stage == "booked":
        # It was cancelled: they wanted something, and may want it again.
        return replace(known, stage="customer" if known.customer_since else "engaged", visit_at=None)
    return known


def answered(lead: Lead) -> Lead:
    """The lead once somebody has answered."""
    return replace(lead, stage="engaged") if lead.stage == "new" else lead


def interested(lead: Lead, interest: Interest) -> Lead:
    """The lead as somebody judges it. Who is booked stays so, and a customer who cools off stays a customer."""
    if lead.stage == "booked" or (lead.stage == "customer" and interest == "engaged"):
        return lead
    return replace(lead, stage=interest)


def noted(lead: Lead, text: str, now_ms: int) -> Lead:
    """With one more note; the oldest gives way. What is noted already is not noted twice."""
    words = _short(text, MAX_NOTE)
    if not words or any(note.text == words for note in lead.notes):
        return lead
    return replace(lead, notes=(*lead.notes, Note(now_ms, words))[-MAX_NOTES:])


def tagged(lead: Lead, add: Sequence[str], remove: Sequence[str] = ()) -> Lead:
    """With and without these tags; beyond MAX_TAGS none is added."""
    gone = {_short(tag, MAX_TAG).casefold() for tag in remove}
    kept = [tag for tag in lead.tags if tag.casefold() not in gone]
    for tag in (_short(tag, MAX_TAG) for tag in add):
        if tag and tag.casefold() not in {known.casefold() for known in kept}:
            kept.append(tag)
    return replace(lead, tags=tuple(kept[:MAX_TAGS]))


def planned(lead: Lead, next_step: str) -> Lead:
    """With another next step; empty: none."""
    return replace(lead, next_step=_short(next_step, MAX_NEXT_STEP) or None)


def from_source(lead: Lead, source: str) -> Lead:
    """With another source."""
    return replace(lead, source=_short(source, MAX_SOURCE) or lead.source)


def told(lead: Lead, now_ms: int) -> Lead:
    """The owner was told something now."""
    return replace(lead, told_at=(*lead.told_at, now_ms)[-TOLD_KEPT:])


def joined(leads: Sequence[Lead]) -> Lead:
    """One person's leads as one, that of the conversation that goes on first: its revision counts."""
    first = leads[0]
    tags = tagged(replace(first, tags=()), [tag for lead in leads for tag in lead.tags]).tags
    notes = sorted({note for lead in leads for note in lead.notes}, key=lambda note: note.at)
    return replace(
        first,
        stage=max((lead.stage for lead in leads), key=lambda stage: _FURTHER[stage]),
        notes=tuple(notes[-MAX_NOTES:]),
        tags=tags,
        next_step=next((lead.next_step for lead in leads if lead.next_step), None),
        visit_at=max((lead.visit_at for lead in leads if lead.visit_at), default=None),
        customer_since=min((lead.customer_since for lead in leads if lead.customer_since), default=None),
        hot_told_at=min((lead.hot_told_at for lead in leads if lead.hot_told_at), default=None),
        told_at=tuple(sorted(at for lead in leads for at in lead.told_at)[-TOLD_KEPT:]),
    )


def _short(text: str, longest: int) -> str:
    return " ".join(text.split())[:longest].strip()


# ---- rows ---------------------------------------------------------------------------------------------------------


def from_item(item: LeadItem | None) -> Lead:
    """The lead of a row; none: somebody who never wrote."""
    if item is None:
        return Lead()
    return Lead(
        stage=next((stage for stage in STAGES if stage == item.stage), "new"),
        source=item.source,
        notes=tuple(Note(note["at"], note["text"]) for note in item.notes or []),
        tags=tuple(item.tags or []),
        next_step=item.next_step,
        visit_at=item.visit_at,
        customer_since=item.customer_since,
        hot_told_at=item.hot_told_at,
        told_at=tuple(item.told_at or []),
        revision=item.revision or 0,
    )


def load_joined(tenant_id: TenantId, first: LeadItem | None, merged_from: Sequence[str]) -> Lead:
    """The lead of a conversation whose own row is `first`, with those of all that were merged into it."""
    leads, wanted, known = [from_item(first)], list(merged_from), set(merged_from)
    while wanted:
        pks = [conversation_pk(tenant_id, one) for one in wanted]
        found = get_together([key for pk in pks for key in ((pk, LEAD), (pk, CONVERSATION))])
        leads += [from_item(found.get(LeadItem, (pk, LEAD))) for pk in pks]
        further = [found.get(ConversationItem, (pk, CONVERSATION)) for pk in pks]
        wanted = [one for item in further if item for one in item.merged_from or [] if one not in known]
        known.update(wanted)
    return joined(leads) if len(leads) > 1 else leads[0]


@dataclass(frozen=True, slots=True)
class LeadChange:
    """Effect: the lead is `after` from now on, unless it has changed since `after.revision` was read."""

    tenant_id: TenantId
    conversation_id: ConversationId
    after: Lead

    @property
    def name(self) -> str:
        return "lead"

    @property
    def writes(self) -> int:
        return 1

    def write(self, transaction: TransactWrite) -> None:
        after = self.after
        actions: list[Action] = [
            LeadItem.stage.set(after.stage),
            LeadItem.source.set(after.source),
            LeadItem.notes.set([{"at": note.at, "text": note.text} for note in after.notes]),
            LeadItem.tags.set(list(after.tags)),
            LeadItem.next_step.set(after.next_step) if after.next_step else LeadItem.next_step.remove(),
            *(
                _time(at, value)
                for at, value in (
                    (LeadItem.visit_at, after.visit_at),
                    (LeadItem.customer_since, after.customer_since),
                    (LeadItem.hot_told_at, after.hot_told_at),
                )
            ),
            LeadItem.told_at.set(list(after.told_at)),
            LeadItem.revision.set(after.revision + 1),
        ]
        unchanged: Condition = (
            LeadItem.revision == after.revision if after.revision else LeadItem.revision.does_not_exist()
        )
        transaction.update(
            LeadItem(conversation_pk(self.tenant_id, self.conversation_id), LEAD), actions, condition=unchanged
        )


def _time(attribute: OptionalInt, value: int | None) -> Action:
    return attribute.remove() if value is None else attribute.set(value)
