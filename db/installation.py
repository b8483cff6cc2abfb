"""Who this database is: its id, whose provider account its effects are in, which server wrote it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import switches
from db.tx import Row, Tx
from domain.errors import NotFoundError, RefusedError
from domain.switches import RESTORED


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The one row of this database. `provider` and `account` are None until they are bound."""

    id: UUID
    provider: str | None
    account: str | None
    system_identifier: str | None
    timeline: int | None
    incarnation: str | None


_GET: Final = sa.text("""
    SELECT id, provider, account, system_identifier, timeline, incarnation FROM installation""")


def get(tx: Tx) -> Installation:
    """Return who this database is. Raises `NotFoundError` where `migrate` never ran to its end."""
    row = tx.row(_GET)
    if row is None:
        raise NotFoundError("this database has no installation: run `bursar migrate`")
    return _installation(row)


def is_here(tx: Tx) -> bool:
    """Say whether this schema holds an installation at all."""
    return bool(tx.scalar(sa.text("SELECT to_regclass('installation') IS NOT NULL")))


_BIND: Final = sa.text("""
    UPDATE installation SET provider = :provider, account = :account
    WHERE :rebind OR coalesce(provider, :provider) = :provider AND coalesce(account, :account) = :account
    RETURNING id, provider, account, system_identifier, timeline, incarnation""")


def bind(tx: Tx, provider: str, account: str, *, rebind: bool = False) -> Installation:
    """Write down whose account the effects of this database are in.

    Raises `RefusedError` where another is bound; `rebind` is for what two people have agreed on.
    """
    row = tx.row(_BIND, provider=provider, account=account, rebind=rebind)
    if row is None:
        check_bound(get(tx), provider, account)
        raise AssertionError("a binding that fits is written")
    return _installation(row)


def check_bound(bound: Installation, provider: str, account: str) -> None:
    """Refuse settings that name another provider account than this database is bound to."""
    if bound.provider is None:
        raise RefusedError(
            "this database is bound to no provider account yet: run `bursar migrate`"
        )
    if (bound.provider, bound.account) != (provider, account):
        raise RefusedError(
            f"this database is bound to {bound.provider} account {bound.account}, but the settings "
            f"name {provider} account {account}: correct BURSAR_PAYOUT_PROVIDER and its account, or "
            "let two people agree to `bursar doctor --rebind`"
        )


_SERVER: Final = sa.text("""
    SELECT CAST(s.system_identifier AS text) AS system_identifier,
           -- The first eight digits of a WAL file's name: they change at once on a promotion.
           CAST(CAST('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS bit(32)) AS int) AS timeline,
           -- Whatever came out of a dump or a template was made anew: under another id, in another database, or both.
           (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
             || '.' || CAST(to_regclass('installation') AS oid) AS incarnation
    FROM pg_control_system() s""")


def remember_server(tx: Tx) -> None:
    """Write down which server this is, where none is known yet."""
    tx.run(
        sa.text("""
        UPDATE installation SET system_identifier = :identifier, timeline = :timeline, incarnation = :incarnation
        WHERE system_identifier IS NULL"""),
        **_server(tx),
    )


def accept_server(tx: Tx) -> None:
    """Write down which server this is now: effects have been compared with the provider."""
    tx.run(
        sa.text("""
        UPDATE installation SET system_identifier = :identifier, timeline = :timeline, incarnation = :incarnation"""),
        **_server(tx),
    )


def was_restored(tx: Tx) -> bool:
    """Say whether another server, another history of it, or another database of it wrote these rows.

    If so, the switch `restored` is on from then: effects sent after the backup are unknown here.
    """
    known, now = get(tx), _server(tx)
    if known.system_identifier is None:
        return False
    then: dict[str, object] = {
        "identifier": known.system_identifier,
        "timeline": known.timeline,
        "incarnation": known.incarnation,
    }
    if then == now:
        return False
    why = f"written by {_named(then)}, this is {_named(now)}"
    switches.turn(tx, RESTORED, on=True, who="bursar", why=why)
    return True


def _server(tx: Tx) -> dict[str, object]:
    row = tx.row(_SERVER)
    if row is None:
        raise AssertionError("a server has one control file")
    return {
        "identifier": row.system_identifier,
        "timeline": row.timeline,
        "incarnation": row.incarnation,
    }


def _named(server: dict[str, object]) -> str:
    names = ("server", "identifier"), ("timeline", "timeline"), ("copy", "incarnation")
    return " ".join(f"{word} {server[name]}" for word, name in names)


def _installation(row: Row) -> Installation:
    return Installation(
        id=row.id,
        provider=row.provider,
        account=row.account,
        system_identifier=row.system_identifier,
        timeline=row.timeline,
        incarnation=row.incarnation,
    )
