"""Which servers a process uses: configured ones, or the embedded ones of its home; never a mixture.

Embedded servers are started by `up` and `demo` alone, and only where neither URL is set. Any other
process without URLs joins the servers of its home. The sandbox bank belongs to embedded servers on
which no provider is configured; what a process must know of it lies in the home.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from domain.errors import BadInputError, UnreachableError
from domain.webhooks.providers import Provider
from workers import embedded
from workers.settings import Settings, load

URLS: Final = ("BURSAR_DATABASE_URL", "BURSAR_BROKER_URL")
PROVIDER_NAMES: Final = (
    "BURSAR_PAYOUT_PROVIDER",
    "BURSAR_PAYMENT_PROVIDER",
    "BURSAR_RAZORPAYX_",
    "BURSAR_RAZORPAY_",
    "BURSAR_STRIPE_",
)
WEBHOOK_SECRETS: Final = "_WEBHOOK_SECRETS"
SANDBOX_SECRETS: Final = (
    ("BURSAR_RAZORPAYX_WEBHOOK_SECRETS", "razorpayx_webhook_secrets"),
    ("BURSAR_RAZORPAY_WEBHOOK_SECRETS", "razorpay_webhook_secrets"),
    ("BURSAR_STRIPE_WEBHOOK_SECRETS", "stripe_webhook_secrets"),
)
"""What a sandbox signs with, whichever provider it speaks for: the variable, and the setting."""
SANDBOX_ACCOUNT: Final = "sandbox-"
SANDBOX_ACCOUNTS: Final = (SANDBOX_ACCOUNT, "acct_sandbox")
"""How every account of a sandbox begins, so that none is ever bound to a configured database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where this process finds its servers."""

    database_url: str
    broker_url: str
    embedded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPlan:
    """The sandbox bank of one home: where it listens, whom it knows, what goes wrong."""

    port: int
    key_id: str
    key_secret: str = field(repr=False)
    account_number: str
    faults: str = ""
    rate_per_second_max: float = 0.0
    process_seconds: float = 1.0
    seed: int = 1
    webhook_secret: str = field(default="", repr=False)
    webhook_url: str = ""
    """Where it tells of its payouts; empty is nowhere."""
    stripe_webhook_url: str = ""
    """Where it tells of its transfers."""
    razorpay_webhook_url: str = ""
    """Where it tells of what customers pay."""

    @classmethod
    def make(cls, port: int, **more: object) -> Self:
        """Return a plan with an account and secrets of its own."""
        made = {
            "port": port,
            "key_id": f"rzp_test_{secrets.token_hex(7)}",
            "key_secret": secrets.token_urlsafe(24),
            "account_number": SANDBOX_ACCOUNT + secrets.token_hex(4),
            "webhook_secret": secrets.token_urlsafe(24),
        }
        return cls(**{**made, **more})  # type: ignore[arg-type]  # fields by name, checked by their users

    @classmethod
    def read(cls, home: Path) -> Self | None:
        """Return the plan of `home`, or None where no sandbox was ever wanted there."""
        try:
            return cls(**json.loads(_plan_file(home).read_text()))
        except FileNotFoundError:
            return None

    def write(self, home: Path) -> None:
        """Put the plan into `home`, readable by its owner alone."""
        draft = _plan_file(home).with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        draft.replace(_plan_file(home))

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be told to use it."""
        return {
            "BURSAR_PAYOUT_PROVIDER": "razorpayx",
            "BURSAR_RAZORPAYX_URL": self.url,
            "BURSAR_RAZORPAYX_KEY_ID": self.key_id,
            "BURSAR_RAZORPAYX_KEY_SECRET": self.key_secret,
            "BURSAR_RAZORPAYX_ACCOUNT_NUMBER": self.account_number,
            "BURSAR_PAYMENT_PROVIDER": "razorpay",
            "BURSAR_RAZORPAY_URL": self.url,
            "BURSAR_RAZORPAY_KEY_ID": self.key_id,
            "BURSAR_RAZORPAY_KEY_SECRET": self.key_secret,
            **{name: self.webhook_secret for name, _ in SANDBOX_SECRETS},
        }

    def told(self, settings: Settings) -> dict[str, str]:
        """What a process of those `settings` must be told to use it, and to hear whom it heard before."""
        told = self.environment
        for name, field_ in SANDBOX_SECRETS:
            own = [secret.get_secret_value() for secret in getattr(settings, field_)]
            told[name] = ",".join(filter(None, (self.webhook_secret, *own)))
            # Empty is not set: what the file held is in the list.
            told[f"{name}_FILE"] = ""
        return told

    def telling(self, web_url: str) -> Self:
        """Return the plan that tells the `bursar web` at `web_url` of what it pays and is paid."""
        hooks = f"{web_url.rstrip('/')}/webhooks"
        return replace(
            self,
            webhook_url=f"{hooks}/{Provider.RAZORPAYX}",
            stripe_webhook_url=f"{hooks}/{Provider.STRIPE}",
            razorpay_webhook_url=f"{hooks}/{Provider.RAZORPAY}",
        )


def _plan_file(home: Path) -> Path:
    return home / "sandbox.json"


def read_settings(environ: Mapping[str, str], home: Path | None = None) -> Settings:
    """Return the settings of this process; on embedded servers the home's sandbox is its provider.

    Raises `BadInputError` for settings that break a rule.
    """
    given = dict(environ) if home is None else {**environ, "BURSAR_HOME": str(home)}
    settings = load(given)
    if is_embedded(settings):
        check_home(Path(settings.home).absolute())
    if is_embedded(settings) and not names_provider(given):
        plan = SandboxPlan.read(Path(settings.home))
        if plan is not None:
            return load({**given, **plan.told(settings)})
    return settings


def check_home(home: Path) -> None:
    """Raise `BadInputError` where a file stands in the place of a home or of a folder above it."""
    nearest = next(place for place in (home, *home.parents) if place.exists())
    if not nearest.is_dir():
        raise BadInputError("BURSAR_HOME", str(home), f"must be a folder, but {nearest} is a file")


def is_embedded(settings: Settings) -> bool:
    """Say whether the servers are the home's own; settings with only one URL do not load."""
    return settings.database_url is None


def names_provider(environ: Mapping[str, str]) -> bool:
    """Say whether the environment configures a provider of its own, to pay with or to be paid by.

    A webhook's secret is none: it says whom to believe, and pays nobody.
    """
    return any(
        value and name.startswith(PROVIDER_NAMES) and WEBHOOK_SECRETS not in name
        for name, value in environ.items()
    )


@contextmanager
def servers(settings: Settings, *, start: bool = False) -> Iterator[Addresses]:
    """Yield where the servers are, keeping a share in embedded ones while the block runs.

    Raises `UnreachableError` where nothing runs in the home and `start` is False, or it cannot start.
    """
    if not is_embedded(settings):
        yield Addresses(
            database_url=str(settings.database_url),
            broker_url=str(settings.broker_url),
            embedded=False,
        )
        return
    home = embedded.Home(Path(settings.home).absolute())
    share = embedded.start(home) if start else embedded.join(home)
    if share is None:
        message = (
            f"nothing runs in {home.path}: start it with `bursar up`, or set "
            "BURSAR_DATABASE_URL and BURSAR_BROKER_URL"
        )
        raise UnreachableError(message)
    with share:
        yield Addresses(database_url=share.database_url, broker_url=share.broker_url, embedded=True)
