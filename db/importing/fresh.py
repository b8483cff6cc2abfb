"""The lines of a file that are new, found by their external ids; the others must say what is there already."""

from collections.abc import Callable, Mapping, Sequence

from db.importing.comparing import differences
from db.importing.order import ERRORS_MAX, SET_MAX, Imported, Lines, RecordT, Told
from domain.errors import BadInputError

There = Callable[[Sequence[RecordT]], Mapping[str, RecordT]]
"""What is stored under the external ids of lines, by those."""


def fresh(
    order: Lines[RecordT],
    done: Imported,
    fields: Sequence[str],
    there: There[RecordT],
    told: Told,
) -> list[tuple[int, RecordT]]:
    """The new lines of `order`, each with its index; `done` is told of all of them.

    Raises `BadInputsError` for a line whose external id has other content, unless the order is partial.
    """
    new: list[tuple[int, RecordT]] = []
    for start in range(0, len(order.lines), SET_MAX):
        part = order.lines[start : start + SET_MAX]
        known = there(part)
        errors = list[BadInputError]()
        for at, line in enumerate(part, start):
            stored = known.get(line.external_id)
            if stored is None:
                new.append((at, line))
            elif stored == line:
                done.existing += 1
            else:
                errors += differences(fields, line, stored, order.place(at))
        done.blame(order, errors[:ERRORS_MAX], len(errors[ERRORS_MAX:]))
        told(len(part))
    done.created = len(new)
    return new
