"""Who acts in the demo: a shop that asks over HTTP for its customers, and the gateway's page where they pay.

Both ask again, under the same key, until they are answered: processes start, are killed, and replies are lost.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from workers.servers import SandboxPlan

CALL_SECONDS_MAX: Final = 3.0
LATER: Final = frozenset({408, 429, 500, 502, 503})
CONFLICT: Final = "conflict"

Scene = Generator[None, None, None]
"""Part of the story: it yields wherever it waits for somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a shop was told."""

    status: int
    document: Mapping[str, Any]

    @property
    def code(self) -> str:
        """Why it was declined; empty where it was not."""
        return str(self.document["error"]["code"]) if "error" in self.document else ""


class Shop:
    """An application with its token, before `bursar web`."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=CALL_SECONDS_MAX,
            trust_env=False,
        )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def ask(
        self, operation: str, actor: str, key: str = "", **fields: object
    ) -> Generator[None, None, Answer]:
        """Ask for one operation until it is answered for good."""
        family, _, name = operation.partition(".")
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            answer = _answered(
                lambda: self._http.post(
                    f"/v1/{family}/{name}", json={"actor": actor, **fields}, headers=headers
                )
            )
            if answer is not None:
                return answer
            yield


class Till:
    """Where customers pay: the sandbox's own door for them."""

    def __init__(self, bank: SandboxPlan) -> None:
        self._http = httpx.Client(
            base_url=bank.url.removesuffix("/v1"),
            auth=(bank.key_id, bank.key_secret),
            timeout=CALL_SECONDS_MAX,
            trust_env=False,
        )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def pay(self, order: str) -> Generator[None, None, Answer]:
        """Pay what the gateway calls `order`: captured, or refused because nobody may pay it any more."""
        while True:
            answer = _answered(lambda: self._http.post("/_sandbox/captures", json={"order": order}))
            if answer is not None:
                return answer
            yield


def _answered(call: Callable[[], httpx.Response]) -> Answer | None:
    """One try; None where nobody answered, or was told to come again."""
    try:
        reply = call()
        answer = Answer(status=reply.status_code, document=reply.json())
    except (httpx.HTTPError, ValueError):
        return None
    return None if answer.status in LATER or answer.code == CONFLICT else answer


def together(*scenes: Scene) -> Scene:
    """Let scenes go on side by side until all have ended."""
    left = list(scenes)
    while left:
        left = [scene for scene in left if _goes_on(scene)]
        if left:
            yield


def until(condition: Callable[[], bool]) -> Scene:
    """Wait for something."""
    while not condition():
        yield


def _goes_on(scene: Scene) -> bool:
    try:
        next(scene)
    except StopIteration:
        return False
    return True
