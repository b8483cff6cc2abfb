"""Ids as texts that others may have written."""

from uuid import UUID


def uuid_of(text: str | None) -> UUID | None:
    """Return the UUID that `text` is, or None where it is none."""
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
