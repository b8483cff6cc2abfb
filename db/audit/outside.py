"""Effects: what was tried outside has one key each, made by rule, and names a payment nobody else names."""

from typing import Final

from db import walks
from db.invariant import Invariant
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

PAYMENTS_ARE_NAMED_ONCE: Final = Invariant(
    name="effect-payments-are-named-once",
    promise="The provider's name that an effect carries is its own in the table of names, where it is unique.",
    walk=walks.EFFECTS,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'effect ' || e.key AS subject, format('%s of %s is kept under %s', e.provider_id, e.provider, coalesce(CAST(p.key AS text), 'no effect')) AS detail
      FROM page e
      LEFT JOIN effect_payments p ON p.provider_id = e.provider_id AND p.provider = e.provider AND p.account = e.account
      WHERE e.provider_id IS NOT NULL AND p.key IS DISTINCT FROM e.key""",
)
