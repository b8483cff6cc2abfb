"""What the outside may call: health, metrics, and the addresses that webhooks are sent to."""

from workers.web.process import build, run_web

__all__ = ["build", "run_web"]
