"""Effects: what was tried outside has one key each, made by rule."""

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
