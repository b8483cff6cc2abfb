"""Settings are read once, complain by name, and never show a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import BadInputError, BadInputsError
from workers.settings import describe, load, secrets_of

SERVERS = {
    "BURSAR_DATABASE_URL": "postgresql://app:db-pass%21@db/shop",
    "BURSAR_BROKER_URL": "redis://:bell-pass@bell/0",
}
RAZORPAYX = {
    "BURSAR_PAYOUT_PROVIDER": "razorpayx",
    "BURSAR_RAZORPAYX_KEY_ID": "rzp_live_1",
    "BURSAR_RAZORPAYX_KEY_SECRET": "key-secret",
    "BURSAR_RAZORPAYX_ACCOUNT_NUMBER": "409002173420",
}

STRIPE = {
    "BURSAR_PAYOUT_PROVIDER": "stripe",
    "BURSAR_STRIPE_API_KEY": "sk_live_key-secret",
    "BURSAR_STRIPE_ACCOUNT": "acct_1032D82eZvKYlo2C",
}


def complaint(environ: dict[str, str]) -> BadInputError:
    with pytest.raises(BadInputError) as caught:
        load(environ)
    return caught.value


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = load({})

    assert (settings.home, settings.database_schema) == (".bursar", "bursar")
    assert (settings.lease_seconds, settings.gateway_timeout_seconds) == (15, 8)
    assert (settings.batch_max, settings.concurrency) == (500, 16)
    assert [*settings.recover_seconds] == [30, 60, 120, 300, 600]
    assert settings.provider_account == (None, None)


def test_settings_cannot_be_changed() -> None:
    settings = load({})

    with pytest.raises(ValueError, match="frozen"):
        settings.batch_max = 5  # type: ignore[misc]  # what is tried here is what must fail


def test_only_the_given_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_BATCH_MAX", "7")

    assert load({}).batch_max == 500


def test_a_payment_provider_needs_its_keys_and_keys_need_a_provider() -> None:
    razorpay = {"BURSAR_RAZORPAY_KEY_ID": "k", "BURSAR_RAZORPAY_KEY_SECRET": "s"}
    asked = {"BURSAR_PAYMENT_PROVIDER": "razorpay"}
    assert load({**asked, **razorpay}).payment_provider == "razorpay"
    assert complaint({**asked, "BURSAR_RAZORPAY_KEY_ID": "k"}).place == "BURSAR_RAZORPAY_KEY_SECRET"
    assert complaint(razorpay).place == "BURSAR_PAYMENT_PROVIDER"


def test_stripe_may_be_paid_by_and_pay_out_or_one_of_both() -> None:
    own = {name: value for name, value in STRIPE.items() if name != "BURSAR_PAYOUT_PROVIDER"}
    both = load({**STRIPE, "BURSAR_PAYMENT_PROVIDER": "stripe"})
    assert (both.payout_provider, both.payment_provider) == ("stripe", "stripe")
    alone = load({**own, "BURSAR_PAYMENT_PROVIDER": "stripe"})
    assert (alone.payout_provider, alone.provider_account) == (None, (None, None))
    beside = load({**own, **RAZORPAYX, "BURSAR_PAYMENT_PROVIDER": "stripe"})
    assert beside.payout_provider == "razorpayx"


def test_a_provider_is_bound_to_its_account() -> None:
    assert load(RAZORPAYX).provider_account == ("razorpayx", "409002173420")


def test_an_unknown_name_is_an_error_that_suggests_the_nearest() -> None:
    error = complaint({"BURSAR_LEASE_SECOND": "15"})

    assert error.place == "BURSAR_LEASE_SECOND"
    assert "did you mean BURSAR_LEASE_SECONDS?" in error.rule


def test_names_for_the_tests_and_for_others_are_left_alone() -> None:
    environ = {"BURSAR_TEST_DATABASE_URL": "x", "LEASE_SECONDS": "1", "BURSARY": "y"}

    assert load(environ) == load({})


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("BURSAR_LEASE_SECONDS", "soon", "must be a valid number"),
        ("BURSAR_LEASE_SECONDS", "nan", "must be a finite number"),
        ("BURSAR_BATCH_MAX", "0", "must be greater than or equal to 1"),
        ("BURSAR_CONCURRENCY", "1.5", "must be a valid integer"),
        ("BURSAR_METRICS_PORT", "70000", "must be less than or equal to 65535"),
        ("BURSAR_DATABASE_POOLER", "session", "must be 'none' or 'transaction'"),
        ("BURSAR_PAYOUT_PROVIDER", "paypal", "must be 'razorpayx' or 'stripe'"),
        ("BURSAR_DATABASE_SCHEMA", "pg_mine", "must be 1 to 40 of a-z 0-9 _"),
        ("BURSAR_DATABASE_SCHEMA", 'a"b', "must be 1 to 40 of a-z 0-9 _"),
        ("BURSAR_SMTP_URL", "mail.example", "must be a URL that begins with smtp://"),
        ("BURSAR_RECOVER_SECONDS", "30,soon", "must be a valid number"),
        ("BURSAR_RECOVER_SECONDS", "30,-1", "must be greater than 0"),
        ("BURSAR_GATEWAY_RATE_PER_SECOND", "0", "must be greater than 0"),
    ],
)
def test_a_value_that_breaks_a_rule_is_named_with_the_rule(
    name: str, value: str, rule: str
) -> None:
    error = complaint({name: value})

    assert (error.place, error.value) == (name, value)
    assert error.rule.startswith(rule)
    assert error.exit_code == 2


def test_every_complaint_is_made_at_once() -> None:
    with pytest.raises(BadInputsError) as caught:
        load({"BURSAR_BATCH_MAX": "x", "BURSAR_CONCURRENCY": "y", "BURSAR_HOUSE": "z"})

    places = {error.place for error in caught.value.errors}
    assert places == {"BURSAR_BATCH_MAX", "BURSAR_CONCURRENCY", "BURSAR_HOUSE"}


@pytest.mark.parametrize("missing", SERVERS)
def test_one_server_alone_is_an_error_that_names_the_other(missing: str) -> None:
    error = complaint({name: value for name, value in SERVERS.items() if name != missing})

    assert error.place == missing
    assert "never mixed" in error.rule


@pytest.mark.parametrize(
    ("provider", "missing"),
    [
        (provider, name)
        for provider in (RAZORPAYX, STRIPE)
        for name in provider
        if name != "BURSAR_PAYOUT_PROVIDER"
    ],
)
@pytest.mark.parametrize("left", [None, ""], ids=["absent", "empty"])
def test_a_provider_without_one_of_its_variables_names_it(
    provider: dict[str, str], missing: str, left: str | None
) -> None:
    given = {name: value for name, value in provider.items() if name != missing}
    if left is not None:
        given[missing] = left

    error = complaint(given)

    assert error.place == missing
    assert "is missing" in error.rule


def test_a_providers_secret_without_the_provider_is_not_silently_unused() -> None:
    assert complaint({"BURSAR_STRIPE_API_KEY": "sk"}).place == "BURSAR_PAYOUT_PROVIDER"


@pytest.mark.parametrize("account", ["1032D82eZvKYlo2C", "acct_", "acct_1 2", "sk_live_1"])
def test_a_stripe_account_is_spelled_as_one(account: str) -> None:
    assert complaint({**STRIPE, "BURSAR_STRIPE_ACCOUNT": account}).place == "BURSAR_STRIPE_ACCOUNT"


def test_the_account_that_payouts_leave_from_is_what_a_database_is_bound_to() -> None:
    assert load(STRIPE).provider_account == ("stripe", "acct_1032D82eZvKYlo2C")
    assert load(RAZORPAYX).provider_account == ("razorpayx", "409002173420")
    assert load({}).provider_account == (None, None)


def test_a_call_must_end_before_its_lease_can_be_taken_over() -> None:
    error = complaint({"BURSAR_LEASE_SECONDS": "15", "BURSAR_GATEWAY_TIMEOUT_SECONDS": "8.5"})

    assert error.place == "BURSAR_GATEWAY_TIMEOUT_SECONDS"
    assert load({"BURSAR_GATEWAY_TIMEOUT_SECONDS": "8"}).gateway_timeout_seconds == 8


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-file\n")
    given = {name: value for name, value in RAZORPAYX.items() if "SECRET" not in name}

    settings = load({**given, "BURSAR_RAZORPAYX_KEY_SECRET_FILE": str(file)})

    assert settings.razorpayx_key_secret is not None
    assert settings.razorpayx_key_secret.get_secret_value() == "from-file"


def test_an_empty_secret_file_is_a_missing_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("\n")
    given = {name: value for name, value in RAZORPAYX.items() if "SECRET" not in name}

    error = complaint({**given, "BURSAR_RAZORPAYX_KEY_SECRET_FILE": str(file)})

    assert error.place == "BURSAR_RAZORPAYX_KEY_SECRET"


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = complaint({"BURSAR_OPERATOR_TOKEN_FILE": str(tmp_path / "absent")})

    assert (error.place, error.rule) == (
        "BURSAR_OPERATOR_TOKEN_FILE",
        "cannot be read: No such file or directory",
    )


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a")

    error = complaint({"BURSAR_OPERATOR_TOKEN": "b", "BURSAR_OPERATOR_TOKEN_FILE": str(file)})

    assert "only one" in error.rule


def test_what_is_no_secret_is_not_read_from_files() -> None:
    error = complaint({"BURSAR_BATCH_MAX_FILE": "/etc/hostname"})

    assert "set BURSAR_BATCH_MAX" in error.rule


def test_several_webhook_secrets_hold_while_one_is_changed() -> None:
    settings = load({**RAZORPAYX, "BURSAR_RAZORPAYX_WEBHOOK_SECRETS": "new, old"})

    values = [secret.get_secret_value() for secret in settings.razorpayx_webhook_secrets]
    assert values == ["new", "old"]


def test_no_complaint_shows_a_secret() -> None:
    error = complaint({"BURSAR_DATABASE_URL": "mysql://app:hunter2@db/x"})

    assert "hunter2" not in str(error)
    assert "hunter2" not in str(complaint({"BURSAR_STRIPE_API_KYE": "hunter2"}))


def test_a_description_shows_every_setting_with_its_source_and_no_secret(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("operator-token")
    environ = {
        **SERVERS,
        **RAZORPAYX,
        "BURSAR_RAZORPAYX_WEBHOOK_SECRETS": "hook-new,hook-old",
        "BURSAR_OPERATOR_TOKEN_FILE": str(token),
        "BURSAR_ALERT_URL": "https://hooks.example/services/T0/B0/alert-secret",
    }
    settings = load(environ)

    shown = {line.name: (line.value, line.source) for line in describe(settings, environ)}

    assert shown["BURSAR_DATABASE_URL"] == ("postgresql://app:***@db/shop", "environment")
    assert shown["BURSAR_BROKER_URL"] == ("redis://:***@bell/0", "environment")
    assert shown["BURSAR_ALERT_URL"] == ("https://hooks.example/***", "environment")
    assert shown["BURSAR_OPERATOR_TOKEN"] == ("***", f"file {token}")
    assert shown["BURSAR_LEASE_SECONDS"] == ("15", "default")
    assert shown["BURSAR_STRIPE_API_KEY"] == ("-", "default")
    everything = f"{shown} {settings!r}"
    for secret in ("db-pass", "bell-pass", "key-secret", "hook-", "operator-token", "alert-secret"):
        assert secret not in everything


def test_what_must_never_be_logged_is_known() -> None:
    environ = {**SERVERS, **RAZORPAYX, "BURSAR_RAZORPAYX_WEBHOOK_SECRETS": "hook-a,hook-b"}

    found = set(secrets_of(load(environ)))

    assert {"db-pass%21", "db-pass!", "bell-pass", "key-secret", "hook-a", "hook-b"} == found


def test_every_module_imports_in_an_empty_environment() -> None:
    root = Path(__file__).parents[2]
    modules = [
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for folder in ("domain", "db", "jobs", "schedules", "workers")
        for path in sorted((root / folder).rglob("*.py"))
        if path.name not in {"env.py", "__main__.py"}
    ]
    bare = {"PATH": os.defpath, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run(
        [sys.executable, "-c", f"import importlib; [*map(importlib.import_module, {modules})]"],
        env=bare,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
