"""Why a payout is where it is."""

from dataclasses import dataclass, replace

from domain.effects import EffectState
from domain.payouts import GENERATIONS_MAX, PayoutState
from domain.why import Place, Surroundings, Why, of_work, times


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFacts:
    """What the database says of one payout. Times are text for people."""

    id: str
    state: PayoutState
    effect_state: EffectState | None
    generation: int
    sends: int
    provider_id: str | None
    provider_status: str | None
    utr: str | None
    error: str | None
    updated: str
    last_move: str | None
    """`FROM -> TO by WHOM: why`, the newest."""
    findings: tuple[str, ...]
    """Open findings about it."""
    withheld: str | None
    """What was kept back of it as tax, in words; None where nothing was."""
    recovered: str | None
    """What was kept back of a debt, likewise."""
    dispersal: str | None
    """What it pays, where that is a lender's share of an obligation."""
    place: Place | None
    around: Surroundings


def of_payout(facts: PayoutFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    found = _reason(facts)
    return replace(found, evidence=(*_evidence(facts), *found.evidence))


def _reason(facts: PayoutFacts) -> Why:
    ended = _ended(facts)
    if ended is not None:
        return ended
    if facts.place is None:
        reason = f"it is {facts.state} and waits for no job: this must not be"
        return Why(reason=reason, evidence=(), command="bursar audit")
    waiting = of_work(facts.id, facts.place, facts.around)
    if facts.state is PayoutState.PROCESSING and facts.place.parked is not None:
        return replace(waiting, command=f'bursar payouts resolve {facts.id} --why "…"')
    if facts.effect_state is EffectState.UNKNOWN:
        reason = (
            f"nobody knows yet whether it was sent; its provider will be asked: {waiting.reason}"
        )
        return replace(waiting, reason=reason)
    if facts.effect_state is EffectState.ACCEPTED and facts.place.holder is None:
        has = f"its provider has it ({facts.provider_status or 'no status yet'})"
        if facts.place.parked is None and not facts.around.gates:
            has += " and tells of its end by webhook, or when it is asked"
        reason = f"{has}: {waiting.reason}"
        return replace(waiting, reason=reason)
    return waiting


def _ended(facts: PayoutFacts) -> Why | None:
    match facts.state:
        case PayoutState.PENDING:
            command = f'bursar payouts approve {facts.id} --why "…"'
            return Why(reason="nobody has approved it", evidence=(), command=command)
        case PayoutState.COMPLETED:
            reason = f"it was paid as {facts.provider_id}, UTR {facts.utr or 'not told yet'}"
            return Why(reason=reason, evidence=(), command=None)
        case PayoutState.FAILED:
            return _failed(facts)
        case PayoutState.CANCELLED:
            reason = f"it was cancelled: {facts.error or 'no reason given'}"
            return Why(reason=reason, evidence=(), command=None)
        case PayoutState.REVERSED:
            reason = f"it was paid and given back: {facts.error or 'no reason given'}"
            return Why(reason=reason, evidence=(), command=None)
        case PayoutState.APPROVED | PayoutState.PROCESSING:
            return None


def _failed(facts: PayoutFacts) -> Why:
    if facts.dispersal is not None:
        command = f'bursar dispersals retry {facts.dispersal} --why "…"  (once its cause is gone)'
        return Why(reason=f"it failed: {facts.error}", evidence=(), command=command)
    if facts.generation >= GENERATIONS_MAX:
        reason = f"it failed {facts.generation} times, the last time: {facts.error}"
        command = f'bursar propose payout.retry {facts.id} --why "…"  (two people)'
        return Why(reason=reason, evidence=(), command=command)
    command = f'bursar payouts retry {facts.id} --why "…"  (once its cause is gone)'
    return Why(reason=f"it failed: {facts.error}", evidence=(), command=command)


def _evidence(facts: PayoutFacts) -> tuple[str, ...]:
    lines = [f"state {facts.state} since {facts.updated}"]
    if facts.last_move:
        lines.append(f"last move: {facts.last_move}")
    if facts.effect_state is not None:
        provider = f", at the provider {facts.provider_id}" if facts.provider_id else ""
        sent = f"sent at most {times(facts.sends)}" if facts.sends else "never sent"
        lines.append(f"effect {facts.effect_state}, {sent}{provider}")
    lines += [words for words in (facts.withheld, facts.recovered) if words is not None]
    lines += [f"finding: {finding}" for finding in facts.findings]
    return tuple(lines)
