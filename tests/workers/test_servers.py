"""Which servers a process uses, and when the sandbox is its provider."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import BadInputError, UnreachableError
from workers.servers import (
    SANDBOX_ACCOUNT,
    SandboxPlan,
    is_embedded,
    names_provider,
    read_settings,
    servers,
)

CONFIGURED = {
    "BURSAR_DATABASE_URL": "postgresql+psycopg://u@db/bursar",
    "BURSAR_BROKER_URL": "redis://cache:6379/0",
}


def test_configured_servers_are_used_as_they_are(tmp_path: Path) -> None:
    settings = read_settings(CONFIGURED, tmp_path)
    with servers(settings, start=True) as found:
        assert found.database_url == CONFIGURED["BURSAR_DATABASE_URL"]
        assert found.broker_url == CONFIGURED["BURSAR_BROKER_URL"]
        assert not found.embedded
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", list(CONFIGURED))
def test_one_url_alone_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="BURSAR_"):
        read_settings({name: CONFIGURED[name]}, tmp_path)


def test_without_urls_a_process_joins_or_says_how_to_start(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    assert is_embedded(settings)
    with pytest.raises(UnreachableError, match="bursar up"), servers(settings):
        pass


def test_the_home_of_the_command_line_goes_before_the_environment(tmp_path: Path) -> None:
    assert read_settings({"BURSAR_HOME": "elsewhere"}, tmp_path).home == str(tmp_path)
    assert read_settings({"BURSAR_HOME": "elsewhere"}).home == "elsewhere"


def test_the_sandbox_of_a_home_is_its_provider(tmp_path: Path) -> None:
    plan = SandboxPlan.make(4711)
    plan.write(tmp_path)
    settings = read_settings({}, tmp_path)
    assert settings.provider_account == ("razorpayx", plan.account_number)
    assert settings.razorpayx_url == "http://127.0.0.1:4711/v1"
    [secret] = settings.razorpayx_webhook_secrets
    assert secret.get_secret_value() == plan.webhook_secret


def test_a_configured_provider_goes_before_the_sandbox(tmp_path: Path) -> None:
    SandboxPlan.make(4711).write(tmp_path)
    own = {
        "BURSAR_PAYOUT_PROVIDER": "razorpayx",
        "BURSAR_RAZORPAYX_KEY_ID": "k",
        "BURSAR_RAZORPAYX_KEY_SECRET": "s",
        "BURSAR_RAZORPAYX_ACCOUNT_NUMBER": "1001",
    }
    assert names_provider(own)
    assert read_settings(own, tmp_path).provider_account == ("razorpayx", "1001")


@pytest.mark.parametrize("provider", ["RAZORPAYX", "STRIPE", "RAZORPAY"])
def test_a_webhook_secret_alone_leaves_the_sandbox_to_pay(provider: str, tmp_path: Path) -> None:
    plan = SandboxPlan.make(4711)
    plan.write(tmp_path)
    own = {f"BURSAR_{provider}_WEBHOOK_SECRETS": "theirs,older"}
    assert not names_provider(own)
    settings = read_settings(own, tmp_path)
    assert settings.provider_account == ("razorpayx", plan.account_number)
    held = getattr(settings, f"{provider.lower()}_webhook_secrets")
    assert [secret.get_secret_value() for secret in held][-2:] == ["theirs", "older"]
    assert settings.razorpayx_webhook_secrets[0].get_secret_value() == plan.webhook_secret


def test_a_webhook_secret_in_a_file_is_held_beside_the_sandbox_s(tmp_path: Path) -> None:
    plan = SandboxPlan.make(4711)
    plan.write(tmp_path)
    (tmp_path / "secret").write_text("theirs\n")
    own = {"BURSAR_RAZORPAYX_WEBHOOK_SECRETS_FILE": str(tmp_path / "secret")}
    settings = read_settings(own, tmp_path)
    held = [secret.get_secret_value() for secret in settings.razorpayx_webhook_secrets]
    assert held == [plan.webhook_secret, "theirs"]


@pytest.mark.parametrize("name", ["KEY_ID", "KEY_SECRET_FILE", "ACCOUNT_NUMBER", "URL"])
def test_anything_of_a_provider_that_pays_names_it(name: str) -> None:
    assert names_provider({f"BURSAR_RAZORPAYX_{name}": "x"})


def test_configured_servers_never_see_a_sandbox(tmp_path: Path) -> None:
    SandboxPlan.make(4711).write(tmp_path)
    assert read_settings(CONFIGURED, tmp_path).provider_account == (None, None)


def test_a_plan_is_kept_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    plan = replace(SandboxPlan.make(4711, faults="drop=0.03"), seed=9)
    plan.write(tmp_path)
    assert SandboxPlan.read(tmp_path) == plan
    assert stat.S_IMODE((tmp_path / "sandbox.json").stat().st_mode) == 0o600
    assert plan.key_secret not in repr(plan)
    assert plan.webhook_secret not in repr(plan)


def test_every_sandbox_has_its_own_account_that_shows_what_it_is() -> None:
    one, other = SandboxPlan.make(1), SandboxPlan.make(1)
    assert one.account_number != other.account_number
    assert one.key_secret != other.key_secret
    assert one.webhook_secret != other.webhook_secret
    assert one.account_number.startswith(SANDBOX_ACCOUNT)
