"""Mistakes planted in the product from outside, one at a time: in its statements, or in place of a function."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any, Final
from uuid import UUID

import pytest
import sqlalchemy as sa

from db import effects, transitions, work
from db.effects import Sendable
from db.payouts import apply, ask, claim, details, posting, verdicts
from db.payouts.apply import Verdict
from db.payouts.ask import Recovering
from db.payouts.claim import Sending
from db.payouts.details import Details, read
from db.payouts.tax_records import Ended
from db.tx import Tx
from db.work import Held, Next
from domain.answers import Answer, Found, NotSent, ProviderPayout, Rejected, Unknown
from domain.effects import as_evidence
from domain.ledger import Entry
from domain.payout_ids import reference
from domain.payouts import PayoutState
from domain.ports import FrozenRequest, PayoutOrder
from domain.tally import Count
from jobs.payouts import process, recover
from jobs.payouts.recover import RecoverPayouts, Recovery
from jobs.shapes import StillMine

Patch = pytest.MonkeyPatch
PAID_TWICE: Final = "paid twice"
MAY_BE_PAID: Final = "was paid|may yet be paid"
STUCK: Final = "neither ended nor parked"
UNBOOKED: Final = "state-has-its-entries|in-transit-is-processing|never_below_zero"
LOST: Final = "settled by who had lost it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """How a mistake is put there, and what the order that finds it says."""

    put: Callable[[Patch], None]
    shows: str


def written(module: ModuleType, name: str, right: str, wrong: str) -> Callable[[Patch], None]:
    """Put a mistake into a statement."""

    def put(patch: Patch) -> None:
        text = getattr(module, name).text
        assert right in text
        patch.setattr(module, name, sa.text(text.replace(right, wrong)))

    return put


def instead(wrong: Callable[..., object], *places: tuple[object, str]) -> Callable[[Patch], None]:
    """Put a wrong function where the right one is called."""

    def put(patch: Patch) -> None:
        for owner, name in places:
            patch.setattr(owner, name, wrong)

    return put


def every(*puts: Callable[[Patch], None]) -> Callable[[Patch], None]:
    """Put all of these."""

    def put(patch: Patch) -> None:
        for one in puts:
            one(patch)

    return put


_of_send, _of_unknown, _accepted, _entries = (
    verdicts.of_send,
    verdicts.of_unknown,
    verdicts._accepted,
    apply._entries,
)


def failed_by_silence(
    sending: Sending, answer: Answer, seconds: tuple[float, ...]
) -> tuple[Verdict, Count]:
    if isinstance(answer, Unknown) and not answer.suspect:
        answer = Rejected(code="TIMEOUT", reason=answer.reason)
    return _of_send(sending, answer, seconds)


def refusals_believed(answer: Answer, sends: int) -> Answer:
    return answer if isinstance(answer, Rejected) else as_evidence(answer, sends)


def not_sent_believed(answer: Answer, sends: int) -> Answer:
    return answer if isinstance(answer, NotSent) else as_evidence(answer, sends)


def key_of_the_attempt(effect: Sendable, asked: PayoutOrder) -> FrozenRequest:
    own = hashlib.sha256(f"{effect.key}:{effect.sends}".encode()).hexdigest()[:32]
    return _frozen(effect, asked)._replace(key=own)


_frozen = claim._frozen


def trusted_for_ever(
    tx: Tx, ids: Iterable[UUID], *, key_seconds: float = 0.0, is_sending: bool = False
) -> list[Details]:
    rows = read(tx, ids, key_seconds=key_seconds, is_sending=is_sending)
    return [row._replace(is_past_key=False) for row in rows]


def sent_unseen(self: RecoverPayouts, item: Recovering, still_mine: StillMine) -> Recovery:
    sent = None if item.sending is None else self.bank.submit(item.sending.request)
    nothing = Found(payouts=())
    return Recovery(look_up=nothing, sent=None if sent is None else as_evidence(sent, 2))


def absent_is_failed(
    self: RecoverPayouts, item: Recovering, sent: Answer | None, moment: datetime
) -> tuple[Verdict, Count]:
    subject = item.held.subject
    path = (PayoutState.PROCESSING, PayoutState.FAILED)
    return Verdict(subject, Next(subject, None), None, path, "not found"), Count.FAILED


def looked_up_only(self: RecoverPayouts, item: Recovering, still_mine: StillMine) -> Recovery:
    return Recovery(look_up=self.bank.find(item.known.reference))


def left_without_work(verdict: Verdict) -> Verdict:
    return verdict._replace(next=Next(verdict.subject, None))


def unknown_forgotten(*arguments: Any) -> Verdict:  # noqa: ANN401 - as it is called
    return left_without_work(_of_unknown(*arguments))


def accepted_forgotten(held: Held, key: UUID, paid: ProviderPayout) -> Verdict:
    return left_without_work(_accepted(held, key, paid))


def first_reference(payout: UUID, generation: int) -> str:
    return reference(payout, 1)


def nothing_posted(*_: object) -> None:
    return None


def failures_unbooked(tx: transitions.LeasedTx, ended: Sequence[Ended]) -> list[Entry]:
    return _entries(tx, [one for one in ended if one.target is not PayoutState.FAILED])


def history_forgotten(patch: Patch) -> None:
    for name in ("_MOVE", "_SAY"):
        wrong = {}
        for kind, statement in getattr(transitions, name).items():
            assert "token FROM moved)" in statement.text
            wrong[kind] = sa.text(statement.text.replace("FROM moved)", "FROM moved WHERE false)"))
        patch.setattr(transitions, name, wrong)


_EVIDENCE: Final = ((process, "as_evidence"), (recover, "as_evidence"))

PLANTS: Final = {
    "settle compares no token": Plant(
        put=every(
            written(work, "_REGAIN", "AND w.token = h.token", ""),
            written(work, "_SETTLE", "AND (w.token = n.token OR n.token = 0)", ""),
        ),
        shows=f"{LOST}|settled twice",
    ),
    "a lapsed lease is taken under its old token": Plant(
        put=written(
            work, "_CLAIM", "SET token = token.token", "SET token = coalesce(w.token, token.token)"
        ),
        shows=f"{LOST}|{MAY_BE_PAID}",
    ),
    "a claim writes what it had read before another claimed": Plant(
        put=written(work, "_CLAIM", "coalesce(leased_until, due_at) <=", "due_at <="),
        shows="leased to two at once",
    ),
    "a time-out is taken for a failure": Plant(
        put=instead(failed_by_silence, (verdicts, "of_send")), shows=MAY_BE_PAID
    ),
    "a refusal of a second send is believed": Plant(
        put=instead(refusals_believed, *_EVIDENCE), shows=MAY_BE_PAID
    ),
    "'nothing left' is believed of a second send": Plant(
        put=instead(not_sent_believed, *_EVIDENCE), shows=f"{PAID_TWICE}|{MAY_BE_PAID}|{STUCK}"
    ),
    "a second send is not counted": Plant(
        put=written(effects, "_INTEND_AGAIN", "sends = e.sends + 1", "sends = e.sends"),
        shows=MAY_BE_PAID,
    ),
    "each attempt has a key of its own": Plant(
        put=instead(key_of_the_attempt, (claim, "_frozen")), shows=PAID_TWICE
    ),
    "a key is trusted for ever": Plant(
        put=instead(trusted_for_ever, (claim, "read")), shows=PAID_TWICE
    ),
    "recover sends again without a look-up, whatever the key's age": Plant(
        put=every(
            instead(trusted_for_ever, (ask, "read")),
            instead(sent_unseen, (RecoverPayouts, "effect")),
        ),
        shows=PAID_TWICE,
    ),
    "a look-up that finds nothing is believed": Plant(
        put=every(
            instead(looked_up_only, (RecoverPayouts, "effect")),
            instead(absent_is_failed, (RecoverPayouts, "_not_found")),
        ),
        shows=MAY_BE_PAID,
    ),
    "an unknown payout is left without work": Plant(
        put=instead(unknown_forgotten, (verdicts, "of_unknown")), shows=STUCK
    ),
    "what accepted payouts become is never asked": Plant(
        put=instead(accepted_forgotten, (verdicts, "_accepted")), shows=STUCK
    ),
    "the second generation is filed under the first one's reference": Plant(
        put=instead(first_reference, *((where, "reference") for where in (claim, ask, details))),
        shows=f"{PAID_TWICE}|{STUCK}|effects_one_per_payment",
    ),
    "nothing is booked when a payout is sent": Plant(
        put=instead(nothing_posted, (posting, "post_submitted")), shows=UNBOOKED
    ),
    "a failure is not booked": Plant(
        put=instead(failures_unbooked, (apply, "_entries")), shows=UNBOOKED
    ),
    "a move leaves no history": Plant(put=history_forgotten, shows="last-move-is-the-state"),
}
