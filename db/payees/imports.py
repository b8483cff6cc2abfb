"""Take over payees and their accounts: what was not told is filled in, what was told otherwise is an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.importing.order import ERRORS_MAX
from db.payees.opening import SET_MAX, open_destinations, open_payees
from db.tx import Row, Tx
from domain.errors import BadInputError, BadInputsError
from domain.payee_lines import (
    FIELDS,
    MAY_BE_ABSENT,
    OF_ACCOUNT,
    OF_PAYEE,
    OF_TAX,
    SETTABLE,
    UNTOLD,
    PayeeLine,
)
from domain.payout_ids import payee_id, payout_account_id
from domain.payout_rules import CURRENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeLines:
    """What is to be taken over, and the row of each line."""

    lines: Sequence[PayeeLine]
    file: str
    rows: Sequence[int]
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeesImported:
    """What an import did: accounts that are new, that were completed, that said nothing new."""

    created: int
    completed: int
    existing: int
    errors: Sequence[BadInputError]
    """At most 50 lines left out (`partial` only)."""
    more: int


_STORED: Final = sa.text("""
    SELECT n.n AS at, y.id AS payee, a.id AS account, y.kind, y.tax_class, y.has_pan, y.resident, y.email, y.said_by AS payee_said_by, a.verified,
           coalesce(a.is_default, false) AS is_default, a.said_by, a.kind AS account_kind, d.fund_account_id AS default_is
    FROM unnest(CAST(:payees AS uuid[]), CAST(:accounts AS uuid[])) WITH ORDINALITY AS n (payee, account, n)
    LEFT JOIN payees y ON y.id = n.payee
    LEFT JOIN payout_accounts a ON a.id = n.account
    LEFT JOIN payout_accounts d ON d.payee = n.payee AND d.is_default
    ORDER BY n.n""")
_LOCK: Final = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('bursar import payees', 0))")
_LOCK_PAYEES: Final = sa.text("""
    SELECT FROM payees WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE""")
_TELL: Final = sa.text("""
    WITH told AS (
      SELECT * FROM unnest(CAST(:payees AS uuid[]), CAST(:accounts AS uuid[]), CAST(:kinds AS text[]), CAST(:classes AS text[]),
                           CAST(:pans AS boolean[]), CAST(:residents AS boolean[]), CAST(:verified AS boolean[]),
                           CAST(:defaults AS boolean[]), CAST(:emails AS text[]), CAST(:account_kinds AS text[]))
        AS t (payee, account, kind, tax_class, has_pan, resident, verified, is_default, email, account_kind)),
    of_payee AS (
      UPDATE payees y SET kind = t.kind, tax_class = t.tax_class, has_pan = t.has_pan, resident = t.resident,
             email = coalesce(nullif(t.email, ''), y.email), updated_at = clock_timestamp()
      FROM (SELECT DISTINCT payee, kind, tax_class, has_pan, resident, email FROM told) t WHERE y.id = t.payee)
    UPDATE payout_accounts a SET verified = t.verified, is_default = t.is_default, kind = coalesce(nullif(t.account_kind, ''), a.kind)
    FROM told t WHERE a.id = t.account""")


def lock_imports(tx: Tx) -> None:
    """Let no other import of payees, and no operator's word about one, come between what is read here and what is written."""
    tx.row(_LOCK)


def take_over(
    tx: Tx, installation: UUID, order: PayeeLines, *, dry_run: bool = False
) -> PayeesImported:
    """Import `order` in this transaction; with `dry_run` say what would be done, and write nothing.

    Raises `BadInputsError` naming file, row and field of what contradicts what is known, or another
    row, unless `order.partial`; nothing is to be committed then.
    """
    lock_imports(tx)
    errors: list[BadInputError] = []
    good: list[tuple[PayeeLine, Row]] = []
    seen = _Seen()
    stored = _stored(tx, installation, order.lines)
    for at, (line, row) in enumerate(zip(order.lines, stored, strict=True)):
        wrong = _contradictions(order, at, seen, row)
        errors += wrong
        if not wrong:
            good.append((line, row))
    if errors and not order.partial:
        raise BadInputsError(errors[:ERRORS_MAX], more=max(0, len(errors) - ERRORS_MAX))
    if not dry_run:
        _tell(tx, installation, [line for line, _ in good])
    return PayeesImported(
        created=sum(row.account is None for _, row in good),
        completed=sum(row.account is not None and not _is_said(line, row) for line, row in good),
        existing=sum(row.account is not None and _is_said(line, row) for line, row in good),
        errors=errors[:ERRORS_MAX],
        more=max(0, len(errors) - ERRORS_MAX),
    )


def _stored(tx: Tx, installation: UUID, lines: Sequence[PayeeLine]) -> list[Row]:
    found: list[Row] = []
    for start in range(0, len(lines), SET_MAX):
        part = lines[start : start + SET_MAX]
        found += tx.rows(
            _STORED,
            payees=[payee_id(installation, line.name) for line in part],
            accounts=[
                payout_account_id(installation, line.name, line.fund_account_id) for line in part
            ],
        )
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """Of the rows so far, by payee: the first that named it, and its default account."""

    first: dict[str, int] = field(default_factory=dict)
    default: dict[str, str] = field(default_factory=dict)


def _contradictions(order: PayeeLines, at: int, seen: _Seen, row: Row) -> list[BadInputError]:
    """Where a line differs from what was told: of its payee on an earlier row, or by an earlier import."""
    line = order.lines[at]
    ours = dict(zip(FIELDS, line.record, strict=True))
    first = seen.first.setdefault(line.name, at)
    theirs = dict(zip(FIELDS, order.lines[first].record, strict=True))
    told = {
        name: f"row {order.rows[first]} says {theirs[name]!r} of the same payee"
        for name in OF_PAYEE
        if theirs[name] != ours[name]
    }
    said_by = {**dict.fromkeys(OF_ACCOUNT, row.said_by), **dict.fromkeys(OF_TAX, row.payee_said_by)}
    for name, known in _known(row).items():
        if known == ours[name] or _says_nothing(name, ours[name]):
            continue
        if (who := said_by.get(name)) is not None:
            told[name] = f"{who} said {known!r} of it: bursar payees set says otherwise"
        elif known != UNTOLD[name]:
            told[name] = f"{known!r} was told of it before: what was told stays{_cure(name)}"
    if line.default:
        one = row.default_is or seen.default.setdefault(line.name, line.fund_account_id)
        if one != line.fund_account_id:
            told["default"] = (
                f"{one} is the default account of {line.name}: there is one{_cure('default')}"
            )
    place = f"{order.file} row {order.rows[at]} field"
    return [BadInputError(f"{place} {name}", ours[name], rule) for name, rule in told.items()]


def _known(row: Row) -> Mapping[str, str]:
    """What the database has of a line's payee and account, as a file spells it."""
    said: dict[str, str] = {}
    if row.payee is not None:
        said |= {
            "kind": row.kind,
            "tax_class": row.tax_class,
            "has_pan": _yes(row.has_pan),
            "resident": _yes(row.resident),
            "email": row.email or "",
        }
    if row.account is not None:
        said |= {
            "verified": _yes(row.verified),
            "default": _yes(row.is_default),
            "account_kind": row.account_kind or "",
        }
    return said


def _is_said(line: PayeeLine, row: Row) -> bool:
    ours = dict(zip(FIELDS, line.record, strict=True))
    return all(
        ours[name] == known or _says_nothing(name, ours[name])
        for name, known in _known(row).items()
    )


def _cure(name: str) -> str:
    """How an operator says otherwise, of what they can."""
    return ", until bursar payees set says otherwise" if name in SETTABLE else ""


def _says_nothing(name: str, value: str) -> bool:
    """Whether an empty field leaves what is known: nobody says that there is no address by saying nothing."""
    return name in MAY_BE_ABSENT and not value


def _yes(flag: bool) -> str:  # noqa: FBT001 - a column of the database, not an option
    return "yes" if flag else "no"


def _tell(tx: Tx, installation: UUID, lines: Sequence[PayeeLine]) -> None:
    names = list(dict.fromkeys((line.name, CURRENCY) for line in lines))
    payees = {name: id_ for (name, _), (id_, _) in open_payees(tx, installation, names).items()}
    pairs = sorted({(line.name, line.fund_account_id) for line in lines})
    accounts = open_destinations(tx, installation, payees, pairs)
    tx.rows(_LOCK_PAYEES, ids=list(payees.values()))
    for start in range(0, len(lines), SET_MAX):
        part = lines[start : start + SET_MAX]
        tx.run(
            _TELL,
            payees=[payees[line.name] for line in part],
            accounts=[accounts[line.name, line.fund_account_id] for line in part],
            kinds=[line.kind for line in part],
            classes=[line.tax_class for line in part],
            pans=[line.has_pan for line in part],
            residents=[line.resident for line in part],
            verified=[line.verified for line in part],
            defaults=[line.default for line in part],
            emails=[line.email for line in part],
            account_kinds=[line.account_kind for line in part],
        )
