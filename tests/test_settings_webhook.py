"""[webhook]: whose tokens are asked for, by the file and by the environment; half of it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.caller import ACTION_GROUPS, AUTHORITY, ROLE, TrustedCaller
from ledger.faults import Rejected
from settings import load
from settings.webhook import VARIABLES

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
CLIENT = "bbbbbbbb-0000-4000-8000-000000000002"
WHOLE = f'[webhook]\ntenant = "{TENANT}"\naudience = ["{CLIENT}", "api://{CLIENT}"]\n'


def read(folder: Path, text: str, **env: str) -> TrustedCaller | None:
    path = folder / "ledger.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, env).caller


def told(folder: Path, text: str, **env: str) -> str:
    with pytest.raises(Rejected) as refusal:
        read(folder, text, **env)
    return "\n".join(str(fault) for fault in refusal.value.faults)


def test_without_it_no_token_is_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None
    assert read(tmp_path, "", **dict.fromkeys(VARIABLES.values(), " ")) is None


def test_the_rest_has_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == TrustedCaller(TENANT, (CLIENT, f"api://{CLIENT}"), ROLE, ACTION_GROUPS, AUTHORITY)


def test_the_environment_says_the_same(tmp_path: Path) -> None:
    env = {"LEDGER_WEBHOOK_TENANT": TENANT.upper(), "LEDGER_WEBHOOK_AUDIENCE": f"{CLIENT}, api://{CLIENT}"}
    assert read(tmp_path, "", **env) == read(tmp_path, WHOLE)
    env["LEDGER_WEBHOOK_AUTHORITY"] = "https://login.microsoftonline.com/"
    assert read(tmp_path, "", **env) == read(tmp_path, WHOLE)


def test_the_environment_comes_first_key_by_key(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE, LEDGER_WEBHOOK_ROLE="Other", LEDGER_WEBHOOK_CALLER=CLIENT, LEDGER_WEBHOOK_TENANT="")
    assert found is not None
    assert (found.tenant, found.role, found.app) == (TENANT, "Other", CLIENT)


ALONE = {
    "tenant": (TENANT, {"audience"}),
    "audience": (CLIENT, {"tenant"}),
    "role": (ROLE, {"tenant", "audience"}),
    "caller": (ACTION_GROUPS, {"tenant", "audience"}),
    "authority": (AUTHORITY, {"tenant", "audience"}),
}


@pytest.mark.parametrize(("key", "value", "missing"), [(key, *rest) for key, rest in ALONE.items()], ids=list(ALONE))
def test_half_of_it_is_told_and_what_is_missing(tmp_path: Path, key: str, value: str, missing: set[str]) -> None:
    for text in (told(tmp_path, "", **{VARIABLES[key]: value}), told(tmp_path, f'[webhook]\n{key} = "{value}"\n')):
        assert {name for name in VARIABLES if f"{name} is missing" in text} == missing


FAULTS = {
    "tenant": (WHOLE.replace(TENANT, "contoso.example"), "tenant is a GUID"),
    "tenant of several": (WHOLE.replace(TENANT, "common"), "tenant is a GUID"),
    "no audience": (WHOLE.partition("audience")[0] + "audience = []\n", "audience names at least one"),
    "blank audience": (WHOLE.partition("audience")[0] + 'audience = " "\n', "audience names at least one"),
    "role": (WHOLE + 'role = ""\n', "role is not empty"),
    "caller": (WHOLE + 'caller = "AzNS"\n', "caller is a GUID"),
    "plain http": (WHOLE + 'authority = "http://127.0.0.1:1"\n', "authority is an address"),
    "with a path": (WHOLE + 'authority = "https://login.example/tenant"\n', "authority is an address"),
    "unknown": (WHOLE + 'scope = "x"\n', "scope is not known here"),
    "no table": ("webhook = 1\n", "webhook is a table"),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, fault: str) -> None:
    assert fault in told(tmp_path, text)


def test_a_table_that_is_none_stays_a_fault_beside_the_environment(tmp_path: Path) -> None:
    assert "webhook is a table" in told(tmp_path, "webhook = 1\n", LEDGER_WEBHOOK_TENANT=TENANT)
