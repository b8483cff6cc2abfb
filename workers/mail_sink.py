"""Where mail goes when no mail server is configured: into files of the home, for reading."""

import signal
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from domain.errors import BadInputError, UnreachableError

ENDS: Final = {signal.SIGTERM, signal.SIGINT}
log = structlog.get_logger(__name__)


def serve(smtp_url: str, folder: Path) -> None:
    """Take mail at `smtp_url` until SIGTERM or SIGINT; each message becomes a file in `folder`.

    Raises `BadInputError` for a URL without host and port, `UnreachableError` where the package is
    not installed or the port is taken.
    """
    try:
        from aiosmtpd.controller import Controller  # noqa: PLC0415  absent from production
        from aiosmtpd.handlers import Mailbox  # noqa: PLC0415  the same
    except ImportError as error:
        raise UnreachableError(
            "the mail sink needs aiosmtpd: install the dependency group `embedded`"
        ) from error
    parts = urlsplit(smtp_url)
    if not parts.hostname or not parts.port:
        raise BadInputError("BURSAR_SMTP_URL", smtp_url, "must read smtp://host:port")
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    controller = Controller(Mailbox(folder), hostname=parts.hostname, port=parts.port)
    try:
        controller.start()
    except OSError as error:
        raise UnreachableError(f"the mail sink cannot listen at {smtp_url}: {error}") from error
    log.info("mail_sink.listening", url=smtp_url, folder=str(folder))
    try:
        signal.sigwait(ENDS)
    finally:
        controller.stop()
