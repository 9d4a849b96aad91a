"""A conversation in memory: the ports of a turn without AWS, for one tenant's calendar and any number of customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from functions.agent.calendar.rules import Cell
from functions.agent.calendar.store import HOLD_MS, Appointment, Book, Calendar, Cancel, Move
from functions.shared.contracts import (
    Content,
    ConversationId,
    Jid,
    MessageId,
    OutgoingContent,
    TenantId,
    TextContent,
    UnsupportedContent,
)
from functions.shared.conversation import ConversationNotFoundError, Message, PastTurn, Snapshot, TurnId
from functions.shared.endings import (
    ConsentChange,
    Ending,
    FromTheOwner,
    HandOver,
    LeftToOwner,
    NothingAsked,
    PutAside,
)
from functions.shared.facts import NoteFacts
from functions.shared.inbox import (
    HAND_OVER_PAUSE_MS,
    Effect,
    EffectRefusedError,
    Reply,
    Turn,
    TurnOvertakenError,
    TurnRecord,
)
from functions.shared.leads import LeadChange
from functions.shared.profile import BusinessProfile
from functions.shared.scheduled import Schedule, Scheduled, Unschedule

NOON = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
"""Sunday, 22 November 2026, 12:00 in Jerusalem."""


@dataclass
class Clock:
    now: datetime = NOON

    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)


@dataclass
class Hold:
    conversation_id: ConversationId
    turn_id: TurnId
    until_ms: int


@dataclass
class Rows:
    """The rows of one tenant's calendar."""

    holds: dict[Cell, Hold] = field(default_factory=dict)
    booked: dict[Cell, str] = field(default_factory=dict)
    appointments: dict[ConversationId, dict[str, Appointment]] = field(default_factory=dict)
    scheduled: dict[ConversationId, dict[str, Scheduled]] = field(default_factory=dict)
    """What waits for its time, by name."""


@dataclass
class MemoryCalendar:
    rows: Rows
    conversation_id: ConversationId

    def taken(self, days: Iterable[date], now: datetime) -> set[Cell]:
        held = {
            cell
            for cell, hold in self.rows.holds.items()
            if hold.conversation_id != self.conversation_id and hold.until_ms > now.timestamp() * 1000
        }
        wanted = set(days)
        return {cell for cell in held | set(self.rows.booked) if cell.start.date() in wanted}

    def hold(self, wanted: Sequence[Cell], turn_id: TurnId, now: datetime) -> bool:
        if set(wanted) & self.taken({cell.start.date() for cell in wanted}, now):
            return False
        until = int(now.timestamp() * 1000) + HOLD_MS
        self.rows.holds.update({cell: Hold(self.conversation_id, turn_id, until) for cell in wanted})
        return True

    def appointments(self, now: datetime) -> list[Appointment]:
        mine = self.rows.appointments.get(self.conversation_id, {}).values()
        return sorted((a for a in mine if a.end > now), key=lambda a: a.start)


@dataclass
class Chat:
    """One customer's conversation."""

    snapshot: Snapshot
    messages: list[Message] = field(default_factory=list)
    turns: list[PastTurn] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    attachments: list[OutgoingContent] = field(default_factory=list)
    attention: str | None = None
    endings: list[Ending] = field(default_factory=list)
    waiting: bool = False
    rung: list[tuple[int, bool]] = field(default_factory=list)


class MemoryStore:
    """Satisfies `functions.agent.store.Store`, with the conditions of the real commit."""

    def __init__(self, profile: BusinessProfile, clock: Clock, *, introduced: bool = False) -> None:
        self.business = profile
        self.introduced = introduced
        """Whether new customers know already that an assistant writes."""
        self.clock = clock
        self.rows = Rows()
        self.chats: dict[ConversationId, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.keeps_files = True
        self.refuse_effects = 0
        """How many of the next commits with effects of these kinds are refused, as if a slot were lost."""
        self.refuse_kinds: tuple[type[Effect], ...] = (Book, Move, Cancel)

    def chat(self, conversation_id: str = "c1", name: str | None = "Dana") -> Chat:
        key = ConversationId(conversation_id)
        if key not in self.chats:
            self.chats[key] = Chat(
                Snapshot(
                    tenant_id=self.business.tenant_id,
                    conversation_id=key,
                    last_seq=0,
                    handled_seq=0,
                    epoch=0,
                    business_ai_enabled=True,
                    ai_enabled=True,
                    paused_until=None,
                    reply_jid=Jid("972501234567@s.whatsapp.net"),
                    pending_since=None,
                    customer_name=name,
                    introduced_at=0 if self.introduced else None,
                )
            )
        return self.chats[key]

    def receive(self, text: str | Content | None, conversation_id: str = "c1") -> int:
        """A customer's message (None: a picture) is stored; returns its number."""
        chat = self.chat(conversation_id)
        now_ms, seq = self.clock.ms(), chat.snapshot.last_seq + 1
        picture = UnsupportedContent(what="imageMessage")
        content = TextContent(text=text) if isinstance(text, str) else text or picture
        chat.messages.append(
            Message(seq, MessageId(f"M{seq}"), "customer", content, now_ms, now_ms, now_ms, f"corr-{seq}")
        )
        pending = chat.snapshot.pending_since if chat.snapshot.handled_seq < chat.snapshot.last_seq else now_ms
        chat.snapshot = replace(chat.snapshot, last_seq=seq, pending_since=pending)
        return seq

    def take_over(self, text: str, conversation_id: str = "c1") -> None:
        """The owner replies: the epoch rises and everything so far is handled."""
        seq = self.receive(text, conversation_id)
        chat = self.chat(conversation_id)
        chat.messages[-1] = replace(chat.messages[-1], author="owner")
        chat.snapshot = replace(chat.snapshot, epoch=chat.snapshot.epoch + 1, handled_seq=seq)

    # ---- the port

    def conversation(self, tenant_id: TenantId, conversation_id: ConversationId) -> Snapshot:
        if tenant_id != self.business.tenant_id or conversation_id not in self.chats:
            raise ConversationNotFoundError(conversation_id)
        return self.chats[conversation_id].snapshot

    def profile(self, tenant_id: TenantId) -> BusinessProfile:
        assert tenant_id == self.business.tenant_id
        return self.business

    def messages(self, tenant_id: TenantId, conversation_id: ConversationId, lo: int, hi: int) -> list[Message]:
        return [m for m in self.chats[conversation_id].messages if lo <= m.seq <= hi]

    def history(self, tenant_id: TenantId, conversation_id: ConversationId, limit: int) -> list[PastTurn]:
        return self.chats[conversation_id].turns[-limit:]

    def calendar(self, tenant_id: TenantId, conversation_id: ConversationId) -> Calendar:
        return MemoryCalendar(self.rows, conversation_id)

    def keep_file(self, key: str, body: bytes, media_type: str) -> bool:
        self.files[key] = body
        return self.keeps_files

    def replies_wait(self, tenant_id: TenantId, conversation_id: ConversationId) -> bool:
        return self.chats[conversation_id].waiting

    def commit(
        self, turn: Turn, replies: Sequence[Reply], effects: Sequence[Effect], record: TurnRecord, now_ms: int
    ) -> None:
        chat = self._as_read(turn)
        against = [effect for effect in effects if isinstance(effect, self.refuse_kinds)]
        if against and self.refuse_effects:
            self.refuse_effects -= 1
            raise EffectRefusedError(against[0].name)
        commit_effects(self.rows, effects)
        changed = [
            replace(effect.after, revision=effect.after.revision + 1)
            for effect in effects
            if isinstance(effect, LeadChange)
        ]
        noted = [effect.facts for effect in effects if isinstance(effect, NoteFacts)]
        chat.snapshot = replace(
            chat.snapshot,
            handled_seq=turn.hi,
            introduced_at=now_ms if chat.snapshot.introduced_at is None else chat.snapshot.introduced_at,
            facts=noted[0] if noted else chat.snapshot.facts,
            lead=changed[0] if changed else chat.snapshot.lead,
        )
        if record.outcome == "person":
            chat.attention = record.reason
            chat.snapshot = replace(chat.snapshot, epoch=turn.epoch + 1, paused_until=now_ms + HAND_OVER_PAUSE_MS)
        chat.turns.append(
            PastTurn(
                turn.lo,
                turn.hi,
                turn.turn_id,
                record.items,
                record.tools,
                record.usage or {},
                now_ms,
                now_ms,
                outcome=record.outcome,
                intent=record.intent,
                saw=record.saw or {},
                summary=record.summary,
            )
        )
        chat.attention = record.attention or chat.attention
        chat.replies += [reply.text for reply in replies if reply.content is None]
        chat.attachments += [reply.content for reply in replies if reply.content is not None]
        chat.waiting = True

    def end(self, turn: Turn, ending: Ending, now_ms: int) -> None:
        chat = self._as_read(turn)
        chat.endings.append(ending)
        hi = ending.hi if isinstance(ending, PutAside) else turn.hi
        chat.snapshot = replace(chat.snapshot, handled_seq=hi)
        chat.turns.append(PastTurn(turn.lo, hi, turn.turn_id, getattr(ending, "items", []), [], {}, now_ms, now_ms))
        if isinstance(ending, ConsentChange):
            out = ending.change == "opted_out"
            chat.snapshot = replace(
                chat.snapshot, opted_out_at=now_ms if out else None, epoch=turn.epoch + 1 if out else turn.epoch
            )
        elif not isinstance(ending, FromTheOwner | LeftToOwner | NothingAsked):
            chat.attention = ending.reason
        if isinstance(ending, HandOver):
            commit_effects(self.rows, ending.effects)
            chat.snapshot = replace(chat.snapshot, epoch=turn.epoch + 1, paused_until=now_ms + HAND_OVER_PAUSE_MS)
        if isinstance(ending, HandOver | ConsentChange):
            chat.replies += [ending.text] if ending.text else []
            chat.waiting = True
            if chat.snapshot.introduced_at is None:
                chat.snapshot = replace(chat.snapshot, introduced_at=now_ms)

    def ring_outgoing(
        self, tenant_id: TenantId, conversation_id: ConversationId, seq: int, correlation_id: str, *, again: bool
    ) -> None:
        self.chats[conversation_id].rung.append((seq, again))

    # ---- conditions and writes

    def _as_read(self, turn: Turn) -> Chat:
        chat = self.chats[turn.conversation_id]
        if chat.snapshot.handled_seq != turn.lo - 1 or chat.snapshot.epoch != turn.epoch:
            raise TurnOvertakenError
        return chat


def commit_effects(rows: Rows, effects: Sequence[Effect]) -> None:
    """As one transaction: all of them under their conditions, or EffectRefusedError and nothing."""
    for effect in effects:
        _check(rows, effect)
    for effect in effects:
        _apply(rows, effect)


def _check(rows: Rows, effect: Effect) -> None:
    if isinstance(effect, Book):
        holds = [rows.holds.get(cell) for cell in effect.appointment.cells]
        if not all(hold and hold.turn_id == effect.turn_id for hold in holds):
            raise EffectRefusedError(effect.name)
    elif isinstance(effect, Move):
        holds = [rows.holds.get(cell) for cell in effect.added]
        mine = rows.appointments.get(effect.conversation_id, {})
        if mine.get(effect.before.booking_id) != effect.before or not all(
            hold and hold.turn_id == effect.turn_id for hold in holds
        ):
            raise EffectRefusedError(effect.name)
    elif isinstance(effect, Cancel):
        if effect.appointment.booking_id not in rows.appointments.get(effect.conversation_id, {}):
            raise EffectRefusedError(effect.name)
    elif not isinstance(effect, Schedule | Unschedule | NoteFacts | LeadChange):
        raise TypeError(effect)


def _apply(rows: Rows, effect: Effect) -> None:
    if isinstance(effect, Book):
        for cell in effect.appointment.cells:
            del rows.holds[cell]
            rows.booked[cell] = effect.appointment.booking_id
        mine = rows.appointments.setdefault(effect.conversation_id, {})
        mine[effect.appointment.booking_id] = effect.appointment
    elif isinstance(effect, Move):
        for cell in effect.freed:
            del rows.booked[cell]
        for cell in effect.added:
            del rows.holds[cell]
            rows.booked[cell] = effect.before.booking_id
        rows.appointments[effect.conversation_id][effect.before.booking_id] = effect.after
    elif isinstance(effect, Cancel):
        del rows.appointments[effect.conversation_id][effect.appointment.booking_id]
        for cell in effect.appointment.cells:
            del rows.booked[cell]
    elif isinstance(effect, Schedule):
        for message in effect.messages:
            rows.scheduled.setdefault(message.conversation_id, {})[message.name] = message
    elif isinstance(effect, Unschedule):
        for name in effect.names:
            rows.scheduled.get(effect.conversation_id, {}).pop(name, None)
