"""The product's own claim and settle as a pgbench script: the limit that its runtime is held against.

Two sets are recorded. A parameter that was the same both times is a constant of the script; one
that differed must be something known of the set's payouts, and is carried from the claim's rows by
pgbench itself. So a statement that changes is measured as changed, or refused by name.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from db.bench.recording import Recording, Statement
from domain.errors import BrokenError
from domain.ledger import EntryType, payout_entry_key

ARGUMENT_MAX: Final = 100_000
"""Characters of one constant on the command line; a longer one is given in parts."""
PROVIDER_NAME: Final = "pout_"
"""What a provider id of the benchmark's bank begins with; the key follows."""
_PREFIX, _SUFFIX = payout_entry_key(" ", 1, EntryType.PAYOUT_SUBMITTED).split(" ")
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_COMMENT: Final = re.compile(r"--[^\n]*")
_CLAIMED: Final = """WITH claimed AS ({claim})
SELECT array_agg(subject) AS ids, array_agg(token) AS tokens,
       CAST(:actor_prefix AS text) || CAST(:run AS text) AS actor
FROM claimed"""
_KNOWN: Final = """WITH known AS MATERIALIZED ({details}),
nets AS MATERIALIZED (
  SELECT payable AS account, sum(amount) AS debits, 0 AS credits FROM known GROUP BY payable
  UNION ALL
  SELECT in_transit, 0, sum(amount) FROM known GROUP BY in_transit)
SELECT array_agg(effect_key) AS effect_keys, array_agg(payable) AS payables,
       array_agg(in_transit) AS in_transits, array_agg(amount) AS amounts, ARRAY[sum(amount)] AS amount,
       array_agg(CAST(:entry_prefix AS text) || id || CAST(:entry_suffix AS text)) AS entry_keys,
       array_agg(CAST(:provider_name AS text) || replace(CAST(effect_key AS text), '-', '')) AS provider_ids,
       (SELECT array_agg(account) FROM nets) AS net_accounts, (SELECT array_agg(debits) FROM nets) AS net_debits,
       (SELECT array_agg(credits) FROM nets) AS net_credits
FROM known"""
_FIXED: Final = {
    "actor_prefix": "run:",
    "entry_prefix": _PREFIX,
    "entry_suffix": _SUFFIX,
    "provider_name": PROVIDER_NAME,
}


@dataclass(slots=True, kw_only=True)
class Script:
    """A script for `pgbench -M prepared`, and the constants to give it with `-D`."""

    text: str
    constants: dict[str, str] = field(default_factory=lambda: dict(_FIXED))


def write(first: Recording, second: Recording) -> Script:
    """Return the script of one set, recorded twice.

    Raises `BrokenError` where the sets do not consist of the same statements, or where a parameter
    differs that nothing known of the payouts explains.
    """
    made = Script(text="")
    carried = [_carried(first), _carried(second)]
    lines = ["\\set run :client_id + 1"]
    for claims, (one, two) in enumerate(zip(first.transactions, second.transactions, strict=True)):
        if [s.text for s in one] != [s.text for s in two]:
            raise BrokenError("the two recorded sets are not made of the same statements")
        texts = [
            _text(made, f"s{claims}_{n}", pair, carried)
            for n, pair in enumerate(zip(one, two, strict=True))
        ]
        if claims == 0:
            texts = _carrying(texts)
        lines += ["BEGIN;", *(t if t.endswith("\\gset") else f"{t};" for t in texts), "COMMIT;"]
    made.text = "\n".join(lines) + "\n"
    return made


def _carrying(texts: Sequence[str]) -> list[str]:
    """Wrap the claim and the reading of details so that what they return is carried on."""
    claim, details, *others = texts
    if "nextval('tokens')" not in claim or "FROM payouts" not in details:
        raise BrokenError("a claim is expected to begin with the lease and the reading of details")
    return [
        _CLAIMED.format(claim=claim) + " \\gset",
        _KNOWN.format(details=details) + " \\gset",
        *others,
    ]


def _text(
    made: Script,
    tag: str,
    pair: tuple[Statement, Statement],
    carried: Sequence[Mapping[str, object]],
) -> str:
    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        values = [statement.parameters[name] for statement in pair]
        if values[0] is None and values[1] is None:
            return "NULL"
        for known in carried[0]:
            if [_comparable(v) for v in values] == [c[known] for c in carried]:
                return f":{known}"
        if values[0] != values[1] and not str(values[0]).startswith("[{"):
            raise BrokenError(
                f"nothing known of a set explains its parameter {name}: {str(values[0])[:80]}"
            )
        return _constant(made, f"{tag}_{name}", values[0])

    plain = _COMMENT.sub("", pair[0].text)
    return _PARAMETER.sub(replaced, plain).replace("%%", "%").strip()


def _constant(made: Script, name: str, value: object) -> str:
    """Keep a constant (the frozen requests of one set too: any of the same size do), in parts if long."""
    text = {True: "t", False: "f"}[value] if isinstance(value, bool) else str(value)
    parts = [text[at : at + ARGUMENT_MAX] for at in range(0, len(text) or 1, ARGUMENT_MAX)]
    if len(parts) == 1:
        made.constants[name] = text
        return f":{name}"
    named = {f"{name}_{n}": part for n, part in enumerate(parts)}
    made.constants |= named
    return "(" + " || ".join(f"CAST(:{part} AS text)" for part in named) + ")"


def _carried(recording: Recording) -> dict[str, object]:
    """What pgbench carries, by variable, as `_comparable` would show it."""
    rows = list(recording.payouts.values())
    debits, credits_ = Counter[int](), Counter[int]()
    for row in rows:
        debits[row.payable] += row.amount
        credits_[row.in_transit or 0] += row.amount
    accounts = [*debits, *credits_]
    columns: dict[str, Sequence[object]] = {
        "ids": [row.id.hex for row in rows],
        "tokens": recording.tokens,
        "effect_keys": [row.effect_key.hex for row in rows],
        "entry_keys": [f"{_PREFIX}{row.id}{_SUFFIX}" for row in rows],
        "provider_ids": [PROVIDER_NAME + row.effect_key.hex for row in rows],
        "payables": [row.payable for row in rows],
        "in_transits": [row.in_transit for row in rows],
        "amounts": [row.amount for row in rows],
        "amount": [sum(row.amount for row in rows)],
        "net_accounts": accounts,
        "net_debits": [debits[a] for a in accounts],
        "net_credits": [credits_[a] for a in accounts],
    }
    lists = {name: _sorted(map(str, values)) for name, values in columns.items()}
    run = recording.run
    return lists | {"run": str(run), "actor": f"run:{run}"}


def _comparable(value: object) -> object:
    """An array literal as the sorted list of its elements, anything else as text."""
    text = str(value)
    if isinstance(value, str) and text.startswith("{") and text.endswith("}"):
        return _sorted(element.strip('"') for element in text[1:-1].split(","))
    return text


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(values))
