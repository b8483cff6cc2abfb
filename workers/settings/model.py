"""Every setting with its default and bounds; its variable is the field's name after `BURSAR_`."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from domain.tax import Crossing, Engine, Rounding, Withholding
from workers.settings.kinds import (
    BROKER_SCHEMES,
    CACHE_SCHEMES,
    DATABASE_SCHEMES,
    HTTP_SCHEMES,
    SMTP_SCHEMES,
    schema_name,
    split,
    url_of,
)

PREFIX: Final = "BURSAR_"

DatabaseUrl = Annotated[str, AfterValidator(url_of(DATABASE_SCHEMES))]
BrokerUrl = Annotated[str, AfterValidator(url_of(BROKER_SCHEMES))]
CacheUrl = Annotated[str, AfterValidator(url_of(CACHE_SCHEMES))]
HttpUrl = Annotated[str, AfterValidator(url_of(HTTP_SCHEMES))]
SmtpUrl = Annotated[str, AfterValidator(url_of(SMTP_SCHEMES))]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(split)]

PayoutProvider = Literal["razorpayx", "stripe"]
"""Whose API payouts may go through."""
PaymentProvider = Literal["razorpay", "stripe"]
"""Whose API customers may pay through."""


class Settings(BaseSettings):
    """What this process was told. Secrets have no defaults and do not print."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    home: str = ".bursar"
    """Folder of the embedded servers and of what `up` keeps."""

    database_url: DatabaseUrl | None = Field(default=None, repr=False)
    database_schema: Annotated[str, AfterValidator(schema_name)] = "bursar"
    database_pool_max: int = Field(default=6, ge=1, le=1_000)
    """Connections this process may have open at once."""
    database_pooler: Literal["none", "transaction"] = "none"
    """`transaction`: PgBouncer in transaction mode, or alike, stands in between."""
    broker_url: BrokerUrl | None = Field(default=None, repr=False)
    cache_url: CacheUrl | None = Field(default=None, repr=False)
    """A Redis for the web faces' rate limits; the broker's where not set."""

    payout_provider: PayoutProvider | None = None
    razorpayx_url: HttpUrl = Field(default="https://api.razorpay.com/v1", repr=False)
    razorpayx_key_id: str | None = None
    razorpayx_key_secret: SecretStr | None = None
    razorpayx_account_number: str | None = None
    razorpayx_webhook_secrets: Secrets = ()
    """Comma-separated, the current one first: while a secret is changed, two hold."""
    payment_provider: PaymentProvider | None = None
    razorpay_url: HttpUrl = Field(default="https://api.razorpay.com/v1", repr=False)
    razorpay_key_id: str | None = None
    razorpay_key_secret: SecretStr | None = None
    razorpay_webhook_secrets: Secrets = ()
    """Of Razorpay's payments, which sign with secrets of their own."""
    stripe_url: HttpUrl = Field(default="https://api.stripe.com", repr=False)
    stripe_api_key: SecretStr | None = None
    stripe_account: str | None = Field(default=None, pattern=r"^acct_[A-Za-z0-9]+$")
    """The platform's own account: transfers leave from it, and customers pay to it."""
    stripe_webhook_secrets: Secrets = ()
    paypal_webhook_id: str | None = None
    """What PayPal calls our webhook: it is part of what it signs."""
    flutterwave_secret_hash: Secrets = ()
    smtp_url: SmtpUrl | None = Field(default=None, repr=False)
    mail_from: str = "bursar@localhost"
    """The address that mails come from."""
    public_url: HttpUrl | None = None
    """The application that people use: links in mails lead there."""

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_port: int | None = Field(default=None, ge=0, le=65_535)
    """Where this process serves its metrics; 0 takes a free port, not set serves none."""

    lease_seconds: float = Field(default=15.0, ge=3, le=600, allow_inf_nan=False)
    batch_max: int = Field(default=500, ge=1, le=10_000)
    concurrency: int = Field(default=16, ge=1, le=1_024)
    """Calls one run keeps in flight."""
    gateway_timeout_seconds: Seconds = 8.0
    """The whole of one call, connect to last byte."""
    gateway_rate_per_second: float | None = Field(
        default=None, gt=0, le=100_000, allow_inf_nan=False
    )
    """Requests a second to one provider account, by all processes together; not set is no limit."""
    recover_seconds: Annotated[tuple[Seconds, ...], BeforeValidator(split)] = Field(
        default=(30.0, 60.0, 120.0, 300.0, 600.0), min_length=1, max_length=20
    )
    """Delays before the first look-ups of an unknown answer; the last one repeats."""
    heal_seconds: Annotated[tuple[Seconds, ...], BeforeValidator(split)] = Field(
        default=(900.0, 1800.0, 3600.0, 7200.0), min_length=1, max_length=20
    )
    """Delays before the tries of healing to divide what could not be divided; the last one repeats."""

    offer_seconds: float = Field(default=172_800.0, ge=10, le=2_592_000, allow_inf_nan=False)
    """How long a freed place is held for whoever waited, where the appointment does not begin sooner: 48 hours."""
    offer_reminder_seconds: float = Field(default=43_200.0, ge=5, le=1_296_000, allow_inf_nan=False)
    """How long before its end an offer is reminded of, of a short one at its half: 12 hours."""

    tds_engine: Engine = Engine.GROSS
    """From what tax is withheld before a payout made of earnings is sent."""
    tds_crossing: Crossing = Crossing.EXCESS_ONLY
    """What is taxed of the payout that carries its payee over the year's exemption."""
    tds_rounding: Rounding = Rounding.FLOOR_MINOR
    payout_minimum_minor: int = Field(default=50_000, ge=1, le=2**53)
    """The least a batch pays to somebody, in minor units; less waits for more."""
    auto_approve_below_minor: int = Field(default=500_000, ge=0, le=2**53)
    """What a batch makes below this (minor units) needs no person's approval; 0 leaves all to people."""

    alert_url: HttpUrl | None = Field(default=None, repr=False)
    """Takes a JSON POST for each new finding that pages somebody."""
    heartbeat_url: HttpUrl | None = Field(default=None, repr=False)
    """Is told each minute that the system lives, so that its silence is noticed outside."""
    events_url: HttpUrl | None = Field(default=None, repr=False)
    """Takes a signed JSON POST for each event of the domain, where an application wants them."""
    events_secrets: Secrets = ()
    """What those are signed with, comma-separated, the current one first: while it is changed, two hold."""
    operator_token: SecretStr | None = None
    """Proves which operator runs this command."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load` alone: nothing else is read behind its back."""
        return (init_settings,)

    @property
    def provider_account(self) -> tuple[str | None, str | None]:
        """The payout provider, and the account there that this installation is bound to."""
        match self.payout_provider:
            case "razorpayx":
                return "razorpayx", self.razorpayx_account_number
            case "stripe":
                return "stripe", self.stripe_account
            case None:
                return None, None

    @property
    def payout_webhook_secrets(self) -> tuple[SecretStr, ...]:
        """What the payout provider's webhooks are signed with; none where they are not set up."""
        match self.payout_provider:
            case "razorpayx":
                return self.razorpayx_webhook_secrets
            case "stripe":
                return self.stripe_webhook_secrets
            case None:
                return ()

    @property
    def withholding(self) -> Withholding:
        """How tax is withheld."""
        return Withholding(
            engine=self.tds_engine, crossing=self.tds_crossing, rounding=self.tds_rounding
        )


def variable(field: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + field.upper()
