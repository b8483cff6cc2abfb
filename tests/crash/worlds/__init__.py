"""The worlds in which jobs, and operators' doors, are killed: a module each, found by its name."""

import pkgutil
from importlib import import_module
from pathlib import Path

from tests.kit.world import World


def every() -> list[World]:
    """Each world that a module here lists as `WORLDS`."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return [world for name in names for world in import_module(f"{__name__}.{name}").WORLDS]
