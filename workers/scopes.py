"""What a run is narrowed to: subjects by name, as whoever asks for it knows them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.payouts import listing
from db.tx import Tx


def resolve(
    tx: Tx, named: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], list[UUID] | None]:
    """Return a scope as it is kept, and the subjects it names (None: everything that is due).

    Raises `BadInputError` for the first name of nothing.
    """
    if not named:
        return {}, None
    ids = listing.find(tx, [name for names in named.values() for name in names])
    kept = {key: [str(ids[name]) for name in names] for key, names in named.items()}
    return kept, list(dict.fromkeys(ids.values()))
