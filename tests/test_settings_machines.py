"""[machines.NAME]: accounts of AWS and Snowflake whose machines may be stopped, and the control planes made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import wiring
from governance.places import MachineAccount
from ledger.faults import Rejected
from settings import Settings, load

AWS = '[machines.dev]\nprovider = "aws"\naccount = "123456789012"\nregions = ["eu-west-1", "eu-north-1"]\n'
SNOWFLAKE = '[machines.wh]\nprovider = "snowflake"\naccount = "ORG-MAIN"\nuser = "LEDGER_STOP"\n'


def read(folder: Path, text: str) -> Settings:
    path = folder / "ledger.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {})


def told(folder: Path, text: str) -> str:
    with pytest.raises(Rejected) as refusal:
        read(folder, text)
    return "\n".join(fault.message for fault in refusal.value.faults)


def test_accounts_are_read(tmp_path: Path) -> None:
    role = 'role = "arn:aws:iam::123456789012:role/ledger-stop"\naudience = "api://ledger"\n'
    more = 'role = "LEDGER_STOP"\nresource_monitor = "FROZEN"\nauth = "workload-identity"\n'
    assert read(tmp_path, AWS + role + SNOWFLAKE + more).machines == (
        MachineAccount(
            "dev",
            "aws",
            "123456789012",
            ("eu-west-1", "eu-north-1"),
            "arn:aws:iam::123456789012:role/ledger-stop",
            "api://ledger",
        ),
        MachineAccount(
            "wh",
            "snowflake",
            "ORG-MAIN",
            role="LEDGER_STOP",
            user="LEDGER_STOP",
            auth="workload-identity",
            monitor="FROZEN",
        ),
    )


FAULTS = {
    "provider": (AWS.replace('"aws"', '"gcp"'), "provider is one of aws, snowflake"),
    "account": (AWS.replace("123456789012", "1234"), "twelve digits"),
    "no regions": (AWS.replace('["eu-west-1", "eu-north-1"]', "[]"), "list of regions"),
    "regions missing": (AWS.partition("regions")[0], "regions is missing"),
    "a text": (AWS.replace('["eu-west-1", "eu-north-1"]', '"eu-west-1"'), "list of texts"),
    "no region": (AWS.replace("eu-north-1", "*"), "list of regions"),
    "role without audience": (AWS + 'role = "arn:x"\n', "audience is missing"),
    "unknown key": (AWS + 'user = "x"\n', "user is not known here"),
    "no user": (SNOWFLAKE.partition("user")[0], "user is missing"),
    "an address": (SNOWFLAKE.replace("ORG-MAIN", "org-main.snowflakecomputing.com"), "EXAMPLE-MAIN"),
    "twice": (AWS + AWS.replace("machines.dev", "machines.again"), "named by dev and again"),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, message: str) -> None:
    assert message in told(tmp_path, text)


BUDGET = '[budgets.b]\nid = "/s/b"\nscope = "/subscriptions/1"\ncurrency = "EUR"\namount = "1"\n'


def test_a_budget_may_stop_in_further_scopes(tmp_path: Path) -> None:
    text = (
        BUDGET + 'also_stops = ["arn:aws:ec2::123456789012", "snowflake:ORG-MAIN", "/subscriptions/2/resourceGroups/A"]'
    )
    (budget,) = read(tmp_path, text).budgets
    assert budget.also == ("arn:aws:ec2::123456789012", "snowflake:org-main", "/subscriptions/2/resourcegroups/a")


@pytest.mark.parametrize("place", ["", "*", "/subscriptions/", "arn:aws:ec2:::", "snowflake:"])
def test_invariant_1_what_is_no_scope_is_told(tmp_path: Path, place: str) -> None:
    assert "also_stops holds what is no scope" in told(tmp_path, f'{BUDGET}also_stops = ["{place}"]')


def test_each_account_becomes_a_control_plane_of_its_own(tmp_path: Path) -> None:
    """Nobody is asked until a scope is listed; one that is not set up is refused before any call."""
    planes = wiring.fleet({"IDENTITY_ENDPOINT": "http://127.0.0.1:9"}, read(tmp_path, AWS + SNOWFLAKE).machines)
    for scope in ("arn:aws:ec2::999999999999", "arn:aws:ec2:us-east-1:123456789012", "snowflake:ORG-OTHER", "x"):
        with pytest.raises(Rejected, match="no control plane"):
            planes.machines(scope)


def test_a_control_plane_is_kept_while_nothing_changes(tmp_path: Path) -> None:
    env, found = {"IDENTITY_ENDPOINT": "http://127.0.0.1:9", "HOME": "/a"}, read(tmp_path, AWS).machines
    first = wiring.fleet(env, found)
    assert wiring.fleet({**env, "HOME": "/b"}, found) is first
    assert wiring.fleet({**env, "LEDGER_ARM_URL": "https://127.0.0.1:1"}, found) is not first
    assert wiring.fleet(env) is not first
