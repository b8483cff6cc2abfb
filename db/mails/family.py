"""Mails as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from db.invariant import Invariant
from domain import mails
from domain.findings import FindingKind

STATE_FITS_EFFECT: Final = Invariant(
    name="mails-state-fits-effect",
    promise="What is SENT was taken by a mail server; what is FAILED or was DROPPED was not, and UNSURE is what may have been.",
    walk=aggregates.walk(mails.MAILS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'mail ' || p.id AS subject, format('it is %s, its send is %s', p.state, coalesce(e.state, 'none')) AS detail
      FROM page p LEFT JOIN effects e ON e.key = p.effect_key
      WHERE CASE p.state WHEN 'SENT' THEN e.state IS DISTINCT FROM 'accepted'
                         WHEN 'UNSURE' THEN e.state IS DISTINCT FROM 'unknown'
                         WHEN 'FAILED' THEN coalesce(e.state, '') NOT IN ('rejected', 'not_sent')
                         ELSE e.state = 'accepted' END""",
)

MAILS: Final = Family(
    machine=mails.MAILS,
    promises=(*aggregates.promises(mails.MAILS), STATE_FITS_EFFECT),
    columns=("kind", "recipient", "state", "subject", "created_at", "updated_at", "id"),
    details=("occasion", "facts", "good_until", "generation", "effect_key"),
)
