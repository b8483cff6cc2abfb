"""Strikes at the ways between the system and its servers."""

from typing import Final

from workers.chaos.link import Link
from workers.chaos.strikes.scene import DOWN_SECONDS, STALL_SECONDS, Scene

COMMITS_CUT: Final = 6


def drop(link: Link) -> str | None:
    """Reset every connection."""
    count = link.drop()
    return f"{count} connections" if count else None


def half_close(link: Link) -> str | None:
    """Let no answer come back on any."""
    count = link.half_close()
    return f"{count} connections" if count else None


def stall(scene: Scene, link: Link) -> str:
    """Let nothing pass for a while."""
    link.stall()
    scene.agenda.later(STALL_SECONDS, link.heal)
    return f"for {STALL_SECONDS:g} s"


def refuse(scene: Scene, link: Link) -> str:
    """Let nobody connect for a while."""
    link.refuse()
    scene.agenda.later(DOWN_SECONDS, link.heal)
    return f"for {DOWN_SECONDS:g} s"


def cut_commits(scene: Scene) -> str:
    """The next commits arrive, and nobody hears of it."""
    scene.house.database_link.cut_commits(COMMITS_CUT)
    return f"{COMMITS_CUT} commits"
