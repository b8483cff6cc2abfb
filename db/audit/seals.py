"""The seals of the books: a chain without a gap, and every sealed entry as it was."""

from typing import Final

from db.invariant import Invariant, Walk
from domain.findings import FindingKind

SEALS_FIT_THEIR_ENTRIES: Final = Invariant(
    name="seals-fit-their-entries",
    promise="Every seal follows the one before it, and its hash is that of the entries it sealed, as they are now.",
    walk=Walk(
        page="""
    SELECT number AS at, s.* FROM ledger_seals s WHERE number > coalesce(CAST(:after AS bigint), 0) ORDER BY number LIMIT :page"""
    ),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT 'seal ' || s.number AS subject,
             CASE WHEN b.last_entry IS DISTINCT FROM s.after_entry THEN
               format('it begins behind entry %s, the seal before ends with %s', s.after_entry, coalesce(b.last_entry, 0))
             ELSE format('entries %s to %s are not what was sealed: %s of %s are there',
                         s.after_entry + 1, s.last_entry, (SELECT count(*) FROM entries e WHERE e.id > s.after_entry AND e.id <= s.last_entry),
                         s.entries) END AS detail
      FROM page s
      LEFT JOIN LATERAL (
        SELECT last_entry, hash FROM ledger_seals WHERE number = s.number - 1
        UNION ALL SELECT 0, '' WHERE s.number = 1) b ON true
      WHERE b.last_entry IS DISTINCT FROM s.after_entry
         -- What was sealed is hashed again only where there is time to read all of it.
         OR :deep AND s.hash <> sealed_hash(b.hash, s.after_entry, s.last_entry)""",
)
