"""Effects: what was tried outside has one key each, and says what the payout says."""

from typing import Final

from db.audit import walks
from db.audit.invariant import Invariant
from domain.findings import FindingKind

KEYS_ARE_MADE_BY_RULE: Final = Invariant(
    name="effect-keys-are-made-by-rule",
    promise="Every effect's key is made from the installation, its kind, subject and generation alone.",
    walk=walks.EFFECTS,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'effect ' || e.key AS subject, format('%s of %s, generation %s', e.kind, e.subject, e.generation) AS detail
      FROM page e WHERE e.key IS DISTINCT FROM effect_key(e.kind, e.subject, e.generation)""",
)

SENDS_ARE_COUNTED: Final = Invariant(
    name="sends-are-counted",
    promise="A payout is PROCESSING only with an effect that a claim may have sent, or that was released unsent.",
    walk=walks.PAYOUTS,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payout ' || p.id AS subject,
             CASE WHEN e.key IS NULL THEN 'it is PROCESSING without an effect'
                  ELSE 'it is leased with no send counted' END AS detail
      FROM page p LEFT JOIN effects e ON e.key = p.effect_key
      WHERE p.state = 'PROCESSING' AND (e.key IS NULL
        OR e.sends < 1 AND EXISTS (SELECT FROM work w WHERE w.subject = p.id AND w.token IS NOT NULL))""",
)

COMPLETED_WAS_ACCEPTED: Final = Invariant(
    name="completed-was-accepted",
    promise="What was paid was accepted by its provider, under the provider's own id.",
    walk=walks.PAYOUTS,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payout ' || p.id AS subject, format('it is %s, its effect is %s', p.state, coalesce(e.state, 'none')) AS detail
      FROM page p LEFT JOIN effects e ON e.key = p.effect_key
      WHERE p.state IN ('COMPLETED', 'REVERSED') AND e.state IS DISTINCT FROM 'accepted'""",
)

REJECTED_IS_NOT_PROCESSING: Final = Invariant(
    name="rejected-is-not-processing",
    promise="What its provider refused is not waiting for it any more.",
    walk=walks.PAYOUTS,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payout ' || p.id AS subject, format('it is %s, its effect was rejected', p.state) AS detail
      FROM page p JOIN effects e ON e.key = p.effect_key
      WHERE e.state = 'rejected' AND p.state IN ('APPROVED', 'PROCESSING')""",
)
