"""Why an earning is where it is."""

from dataclasses import dataclass

from domain.earnings import EarningState
from domain.money import format_major
from domain.payees import cure
from domain.why import Why


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningFacts:
    """What the database says of one earning. Times are text for people, amounts minor units."""

    id: str
    state: EarningState
    payee: str
    currency: str
    amount: int
    refunded: int
    disputed: bool
    """Whether anything holds it: people, or a dispute."""
    held: bool
    """Whether people do."""
    is_contested: bool
    """Whether a dispute about its payment does, which is open."""
    ready: str
    """When its hold is over."""
    is_on_hold: bool
    last_said: str | None
    """What an operator said of it last, who and why."""
    payable: int
    """What its payee may be paid now, in this currency."""
    owing: int
    """What its payee owes back in it."""
    account: str | None
    """The payee's default account at the provider."""
    account_fault: str | None
    """Why nothing may be sent there."""
    doubted: str | None
    """A payout that it was in, which only another system calls failed: it may have been paid by it."""
    payout: str | None
    payout_state: str | None
    next_batch: str | None
    """When the next one is due."""


def of_earning(facts: EarningFacts, minimum: int) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    reason, command = _reason(facts, minimum)
    return Why(reason=reason, evidence=_evidence(facts), command=command)


def _reason(facts: EarningFacts, minimum: int) -> tuple[str, str | None]:
    match facts.state:
        case EarningState.REFUNDED:
            return "all of it was given back to the customer: nothing is owed", None
        case EarningState.PAID:
            return f"payout {facts.payout} paid it", None
        case EarningState.BATCHED:
            held = f"{_holder(facts)}, which keeps it from being sent; " if facts.disputed else ""
            reason = f"{held}it is in payout {facts.payout}, which is {facts.payout_state}"
            return reason, f"bursar why payout {facts.payout}"
        case EarningState.HELD:
            release = f'bursar earnings release {facts.id} --why "…"'
            return _holder(facts), None if facts.is_contested else release
        case EarningState.READY:
            return _waiting(facts, minimum)


def _holder(facts: EarningFacts) -> str:
    """Who holds it: nothing but the end of a dispute ends that."""
    if facts.is_contested:
        people = ", and people hold it too" if facts.held else ""
        return f"a dispute about its payment is open, and its gateway tells how that ends{people}"
    if facts.held:
        return "people hold it"
    return (
        "a dispute about its payment was lost, and what that took does not fit what is left of it"
    )


def _waiting(facts: EarningFacts, minimum: int) -> tuple[str, str | None]:
    if facts.doubted is not None:
        reason = f"payout {facts.doubted} may have paid it: only another system says that it failed"
        return reason, f'bursar payouts retry {facts.doubted} --why "…"'
    if facts.is_on_hold:
        return f"its hold is not over before {facts.ready}", None
    if facts.account is None:
        return f"{facts.payee} has no default account to be paid to", "bursar import payees FILE"
    if facts.account_fault is not None:
        reason = f"account {facts.account} of {facts.payee} is {facts.account_fault}"
        return reason, cure(facts.payee, facts.account, facts.account_fault)
    if facts.payable < minimum:
        least, payable = _money(facts, minimum), _money(facts, facts.payable)
        return f"{facts.payee} may be paid {payable}: a batch pays {least} at least", None
    if facts.payable - facts.owing < minimum:
        owing, payable = _money(facts, facts.owing), _money(facts, facts.payable)
        reason = f"{facts.payee} owes back {owing} of what they were paid: of {payable} too little is left to be sent"
        return reason, f'bursar payees show "{facts.payee}"'
    return f"it waits for the next batch, at {facts.next_batch or 'no time that is known'}", (
        "bursar enqueue payouts.batch --dry-run"
    )


def _evidence(facts: EarningFacts) -> tuple[str, ...]:
    given_back = f", {_money(facts, facts.refunded)} of it given back" if facts.refunded else ""
    lines = [f"state {facts.state}, {_money(facts, facts.amount)}{given_back}"]
    if facts.last_said:
        lines.append(f"last said of it: {facts.last_said}")
    if facts.state is EarningState.READY:
        lines.append(f"hold until {facts.ready}")
        lines.append(f"{facts.payee} may be paid {_money(facts, facts.payable)} in all now")
        if facts.owing:
            lines.append(f"{facts.payee} owes back {_money(facts, facts.owing)}")
    return tuple(lines)


def _money(facts: EarningFacts, minor: int) -> str:
    return f"{format_major(minor, facts.currency)} {facts.currency}"
