"""Settings: read once from the environment, validated, frozen, and shown with their sources."""

from workers.settings.describing import Described, describe, secrets_of
from workers.settings.model import Settings
from workers.settings.reading import load

__all__ = ["Described", "Settings", "describe", "load", "secrets_of"]
