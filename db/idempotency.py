"""The same key is the same answer: what an operation was answered is kept in the transaction that did it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.booking_errors import KeyReusedError

Document = Mapping[str, Any]
"""A reply in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Under which key an application asks for something, on behalf of whom."""

    application: str
    actor: UUID
    key: str


_ALONE: Final = sa.text("""
    SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(E'\\x1f', 'idempotency', CAST(:application AS text), CAST(:actor AS text), CAST(:key AS text)), 0))""")
_KNOWN: Final = sa.text("""
    SELECT encode(request_hash, 'hex') AS request_hash, reply FROM idempotency_keys
    WHERE application = :application AND actor = :actor AND key = :key""")
_KEEP: Final = sa.text("""
    INSERT INTO idempotency_keys (application, actor, key, request_hash, reply)
    VALUES (:application, :actor, :key, decode(:request_hash, 'hex'), CAST(:reply AS json))
    RETURNING reply""")


def once(tx: Tx, key: Key, request_hash: str, work: Callable[[], str]) -> Document:
    """Return what `work` answers (JSON), or what it was answered under `key` before; then it is not called.

    `request_hash` (64 hex digits) stands for what is asked for. Whoever asks under the same key meanwhile
    waits. Raises `KeyReusedError` where the key came with another request, and whatever `work` raises.
    """
    named = {"application": key.application, "actor": key.actor, "key": key.key}
    tx.rows(_ALONE, **named)
    known = tx.row(_KNOWN, **named)
    if known is None:
        kept: Document = tx.scalar(_KEEP, **named, request_hash=request_hash, reply=work())
        return kept
    if known.request_hash != request_hash:
        raise KeyReusedError(f"key {key.key!r} came with another request before")
    found: Document = known.reply
    return found
