"""Nouns in messages that name many kinds of things."""

from typing import Final

_SILENT: Final = ("hour",)


def with_article(noun: str) -> str:
    """Return `noun` behind its indefinite article: a payout, an obligation, an hour."""
    return f"{'an' if noun.startswith((*'aeiou', *_SILENT)) else 'a'} {noun}"
