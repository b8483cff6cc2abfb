"""One payee, and where it is paid, as an import file states it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from domain.errors import BadInputError
from domain.mails import is_address
from domain.payees import AccountKind, PayeeKind
from domain.payout_rules import FUND_ACCOUNT_RULE, fits_fund_account
from domain.records import LABEL_RULE, Records, faults, fits_label

FIELDS: Final = (
    "name", "fund_account_id", "kind", "tax_class", "has_pan", "resident", "verified", "default", "email",
    "account_kind",
)  # fmt: skip
OF_PAYEE: Final = ("kind", "tax_class", "has_pan", "resident", "email")
"""What is said of the payee; the others are of its account."""
OF_ACCOUNT: Final = frozenset({"verified", "default"})
"""What an operator's word about an account may change: no file fills it in from then on."""
OF_TAX: Final = frozenset({"tax_class", "has_pan", "resident"})
"""The same of what is withheld from the payee."""
SETTABLE: Final = OF_ACCOUNT | OF_TAX | {"email", "account_kind"}
"""What `bursar payees set` changes."""
KINDS: Final = tuple(kind.value for kind in PayeeKind)
ACCOUNT_KINDS: Final = tuple(kind.value for kind in AccountKind)
TAX_CLASSES: Final = ("unknown", "individual", "huf", "company", "firm")
UNTOLD: Final = {
    "kind": PayeeKind.PERSON.value,
    "tax_class": "unknown",
    "has_pan": "no",
    "resident": "yes",
    "verified": "no",
    "default": "no",
    "email": "",
    "account_kind": "",
}
"""What an empty field means, and what a payee is that only an import of payouts has named."""
MAY_BE_ABSENT: Final = frozenset({"email", "account_kind"})
"""Columns that a file may do without; what they leave empty says nothing, whatever is known."""
ADDRESS_RULE: Final = "must be empty or one plain address, such as asha@example.org"
FLAGS: Final = frozenset({"has_pan", "resident", "verified", "default"})
_CHOICES: Final = {
    "kind": KINDS,
    "tax_class": TAX_CLASSES,
    "account_kind": ACCOUNT_KINDS,
} | dict.fromkeys(FLAGS, ("yes", "no"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeLine:
    """One valid row: a payee, and one of its accounts at the provider."""

    name: str
    fund_account_id: str
    kind: str
    tax_class: str
    has_pan: bool
    resident: bool
    verified: bool
    """Whether the provider has proven that the account is the payee's."""
    default: bool
    """Whether payouts that a batch makes go to this account."""
    email: str = ""
    """Where the payee is told of payouts; empty where nobody said."""
    account_kind: str = ""
    """What the account is, a bank's or a VPA; empty where nobody said: it is paid as a bank's then."""

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`."""
        flags = (self.has_pan, self.resident, self.verified, self.default)
        said = tuple("yes" if flag else "no" for flag in flags)
        return (
            self.name,
            self.fund_account_id,
            self.kind,
            self.tax_class,
            *said,
            self.email,
            self.account_kind,
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


def parse_payee(record: Sequence[str], file: str, row: int) -> PayeeLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if errors := faults(FIELDS, record, f"{file} row {row}", _rule):
        return errors
    said = {
        field: value or UNTOLD.get(field, "") for field, value in zip(FIELDS, record, strict=True)
    }
    return PayeeLine(
        name=said["name"],
        fund_account_id=said["fund_account_id"],
        kind=said["kind"],
        tax_class=said["tax_class"],
        has_pan=said["has_pan"] == "yes",
        resident=said["resident"] == "yes",
        verified=said["verified"] == "yes",
        default=said["default"] == "yes",
        email=said["email"],
        account_kind=said["account_kind"],
    )


def _rule(field: str, value: str, _record: Sequence[str]) -> str | None:
    match field:
        case "name":
            return None if fits_label(value) else LABEL_RULE
        case "fund_account_id":
            return None if fits_fund_account(value) else FUND_ACCOUNT_RULE
        case "email":
            return None if not value or is_address(value) else ADDRESS_RULE
        case _:
            known = _CHOICES[field]
            return None if value in {"", *known} else f"must be empty or one of {', '.join(known)}"


PAYEE_RECORDS: Final = Records(
    name="payees",
    fields=FIELDS,
    parse=parse_payee,
    key=lambda line: f"{line.fund_account_id} of {line.name}",
    key_field="fund_account_id",
    optional=frozenset(UNTOLD),
    flags=FLAGS,
    absent=MAY_BE_ABSENT,
)
