"""Changes: what operators did that leaves no other trace of who and why. Written with the change itself."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Rows, Tx

_NOTE: Final = sa.text("""
    INSERT INTO changes (what, subject, who, why)
    SELECT :what, s.subject, :who, :why FROM unnest(CAST(:subjects AS text[])) WITH ORDINALITY AS s (subject, n)
    ORDER BY s.n""")


def note(tx: Tx, what: str, subjects: Sequence[str], *, who: str, why: str) -> None:
    """Write down that `who` did `what` (such as `lease.break`) to each subject, and why."""
    tx.run(_NOTE, what=what, subjects=list(subjects), who=who, why=why)


_LISTING: Final = sa.text("""
    SELECT id, at, what, subject, who, why FROM changes
    WHERE (CAST(:after AS bigint) IS NULL OR id < :after) AND (CAST(:subject AS text) IS NULL OR subject = :subject)
    ORDER BY id DESC LIMIT :limit""")


def listing(
    tx: Tx, *, subject: str | None = None, after: int | None = None, limit: int = 50
) -> Rows:
    """A page of changes, newest first."""
    return tx.page(_LISTING, subject=subject, after=after, limit=limit)
