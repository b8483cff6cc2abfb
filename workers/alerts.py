"""Send findings and heartbeats: one bounded POST each, and whether it arrived."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import structlog

from domain.ports import Alerts
from workers.gateways.posting import Poster, is_ok
from workers.settings import Settings

SEND_SECONDS_MAX: Final = 3.0
"""The whole of one POST, connect to last byte."""

log = structlog.get_logger(__name__)


class HttpAlerts:
    """Implements `Alerts`. The addresses are secrets: they are in no message and no log."""

    def __init__(self, alert_url: str | None, heartbeat_url: str | None) -> None:
        self.alert_url, self.heartbeat_url = alert_url, heartbeat_url
        self._poster = Poster(connections_max=2)

    def send(self, document: dict[str, object]) -> bool:
        """POST one finding; True when the receiver answered 2xx, or nobody wants to be told."""
        if self.alert_url is None:
            return True
        return self._post("alert", self.alert_url, json.dumps(document).encode())

    def heartbeat(self) -> bool:
        """POST nothing; True when the receiver answered 2xx, or nobody listens."""
        return self.heartbeat_url is None or self._post("heartbeat", self.heartbeat_url, b"")

    def close(self) -> None:
        """Close every connection."""
        self._poster.close()

    def _post(self, what: str, url: str, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            status = self._poster.post(url, body, headers, SEND_SECONDS_MAX)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("alerts.not_sent", what=what, error=type(error).__name__)
            return False
        if not is_ok(status):
            log.warning("alerts.refused", what=what, status=status)
        return is_ok(status)


@contextmanager
def open_alerts(settings: Settings) -> Iterator[Alerts | None]:
    """Yield who is told, or None where no address is set; closed afterwards."""
    if settings.alert_url is None and settings.heartbeat_url is None:
        yield None
        return
    alerts = HttpAlerts(settings.alert_url, settings.heartbeat_url)
    try:
        yield alerts
    finally:
        alerts.close()
