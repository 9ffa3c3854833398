"""Rules, ceilings and safeguards of the settings file."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from governance.actions import aws_ec2, azure_vm, azure_vmss, snowflake_warehouse
from governance.rules import DEFAULT_CEILINGS, KINDS, Ceilings, Hours, Stages
from settings import load
from tests.test_settings import BUDGET, faults, read

RULE = '[policies.r]\nbudgets = ["b"]\n'
FULL = """
[policies.r]
budgets = ["b"]
threshold = "1"
alerts = ["actual", "forecast"]
kinds = ["azure_vm"]
tags = { team = "Blue" }
environments = ["Sandbox"]
accounts = ["1"]
hours = { zone = "Europe/Berlin", days = ["Sat", "Sun"], from = "19:00", to = "06:30" }
notice_hours = 4
approval_hours = 24
cool_off_hours = 0
ceilings = { count = 2, percent = "0.5", per_hour = "1.25", currency = "USD" }
[ceilings]
day_count = 7
[safeguards]
protected = ["/Subscriptions/1/resourceGroups/Core/"]
paused = true
[undo]
batch = 3
pause_minutes = 0
within_days = 30
"""


def test_every_kind_that_can_be_stopped_can_be_named() -> None:
    assert set(KINDS) == {aws_ec2.KIND, azure_vm.KIND, azure_vmss.KIND, snowflake_warehouse.KIND}


SOURCE = '[sources.bill]\nprovider = "azure"\nlocation = "/exports"\n'


def test_a_budget_names_the_source_of_its_cost_data_and_is_told_when_these_are_stale(tmp_path: Path) -> None:
    found = read(tmp_path, "[ledger]\nstale_hours = 48\n" + SOURCE + BUDGET + '\nfeed = "bill"\n')
    assert (found.budgets[0].feed, found.budgets[0].stale_after) == ("bill", timedelta(hours=48))


@pytest.mark.parametrize("sources", ["", SOURCE.replace('location = "/exports"\n', "")], ids=["none", "by hand"])
def test_a_feed_that_nobody_looks_for_is_refused(tmp_path: Path, sources: str) -> None:
    (fault,) = faults(tmp_path, sources + BUDGET + '\nfeed = "bill"\n')
    assert "no source bill with a location" in str(fault)


OTHER = SOURCE.replace("bill", "other")
WITHIN = "/subscriptions/00000000-0000-4000-8000-000000000001"
FEEDS = {
    "the only one": (SOURCE, "bill"),
    "none": ("", ""),
    "by hand": (SOURCE.replace('location = "/exports"\n', ""), ""),
    "another cloud's": (SOURCE.replace("azure", "aws"), ""),
    "beside another cloud's": (SOURCE + OTHER.replace("azure", "aws"), "bill"),
    "one of two": (SOURCE + OTHER, ""),
    "of another subscription": (f'{SOURCE}scope = "{WITHIN}"\n', ""),
    "beside one of another subscription": (f'{SOURCE}{OTHER}scope = "{WITHIN}"\n', "bill"),
    "of a billing account": (f'{SOURCE}scope = "/providers/Microsoft.Billing/billingAccounts/70000042"\n', "bill"),
}


@pytest.mark.parametrize(("sources", "feed"), FEEDS.values(), ids=FEEDS)
def test_invariant_21_a_budget_that_names_no_feed_has_the_only_source_that_can_be_it(
    tmp_path: Path, sources: str, feed: str
) -> None:
    found = read(tmp_path, sources + BUDGET)
    assert found.budgets[0].feed == feed


def test_a_source_of_the_budgets_own_subscription_is_its_feed(tmp_path: Path) -> None:
    mine = BUDGET.replace('scope = "/S/1"', f'scope = "{WITHIN}/resourceGroups/rg"')
    assert mine != BUDGET
    assert read(tmp_path, f'{SOURCE}scope = "{WITHIN}"\n{mine}').budgets[0].feed == "bill"


def test_every_key_of_a_rule_arrives(tmp_path: Path) -> None:
    found = read(tmp_path, BUDGET + FULL)
    [budget], [rule] = found.budgets, found.policies
    assert budget.policies == (rule,)
    assert (rule.threshold, rule.alerts, rule.action) == (Decimal(1), ("actual", "forecast"), "stop")
    assert (rule.kinds, rule.tags, rule.environments, rule.accounts) == (
        ("azure_vm",),
        {"team": "Blue"},
        ("Sandbox",),
        ("1",),
    )
    assert rule.hours == Hours("Europe/Berlin", (5, 6), time(19), time(6, 30))
    assert (rule.notice, rule.approval) == (timedelta(hours=4), timedelta(hours=24))
    assert rule.ceilings == Ceilings(count=2, percent=Decimal("0.5"), per_hour=Decimal("1.25"), currency="USD")
    assert budget.safeguards.ceilings == Ceilings(count=25, day_count=7)
    assert budget.safeguards.protected == ("/subscriptions/1/resourcegroups/core",)
    assert budget.safeguards.paused
    assert rule.cool_off == timedelta()
    assert budget.safeguards.undo == Stages(3, timedelta(), timedelta(days=30))


def test_without_rules_there_are_still_ceilings_and_nothing_is_paused(tmp_path: Path) -> None:
    [budget] = read(tmp_path, BUDGET).budgets
    assert budget.policies == ()
    assert budget.safeguards.ceilings == DEFAULT_CEILINGS
    assert not budget.safeguards.paused
    assert budget.safeguards.undo == Stages(5, timedelta(minutes=5), timedelta(days=7))


def test_the_environment_does_not_lose_the_rules(tmp_path: Path) -> None:
    (tmp_path / "ledger.toml").write_text(BUDGET + RULE)
    found = load(tmp_path / "ledger.toml", {"LEDGER_LIVE": "true", "LEDGER_STORE": "elsewhere"})
    assert found.live and found.store_url == "elsewhere" and found.budgets[0].policies == found.policies != ()


@pytest.mark.parametrize(
    "wrong",
    [
        *('threshold = "0"', "threshold = 1", "alerts = []", 'alerts = ["maybe"]', 'action = "erase"', "kinds = []"),
        *("tags = []", 'tags = { team = 1 }', 'environments = ["Sandbux"]', "accounts = []", "notice_hours = -1"),
        *("approval_hours = 1.5", "hours = {}", 'hours = { zone = "Europe/Nowhere", from = "08:00", to = "09:00" }'),
        *("cool_off_hours = 721", "cool_off_hours = -1"),
        *('hours = { zone = "Europe", from = "08:00", to = "09:00" }', "ceilings = { count = 0 }"),
        *('hours = { zone = "UTC", from = "8", to = "09:00" }', 'hours = {zone = "UTC", from = "08:00", to = "24:00"}'),
        *('hours = { zone = "UTC", from = "08:00", to = "09:00", days = [] }', 'ceilings = { percent = "1.5" }'),
        *('hours = { zone = "UTC", from = "08:00+01", to = "09:00" }', 'ceilings = { per_hour = 3 }', "colour = 1"),
        *('kinds = ["azure-vm"]', 'kinds = ["azure_vm", "vm"]', 'action = "spare"\nkinds = ["ec2"]'),
        *('action = "spare"\napproval_hours = 3', 'action = "notice"\nceilings = { count = 1 }'),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(wrong: str, tmp_path: Path) -> None:
    assert {str(fault.column).split(".")[0] for fault in faults(tmp_path, f"{BUDGET}{RULE}{wrong}\n")} == {"policies"}


@pytest.mark.parametrize(
    "text",
    [
        '[policies.r]\nbudgets = ["c"]',
        "[policies.r]\nbudgets = []",
        "[policies.r]",
        '[policies.default]\nbudgets = ["b"]',
        "[ceilings]\ncount = 0",
        "[ceilings]\npercent = '0'",
        "[safeguards]\nprotected = []",
        *(f"[safeguards]\nprotected = ['{one}']" for one in ("i-0a", "vm-1", "123456789012", "subscriptions/1", "/")),
        *(f"[safeguards]\nprotected = ['{one}']" for one in ("arn:aws:ec2::123456789012:", "/subscriptions", "/x/1")),
        "[safeguards]\npaused = 'yes'",
        *("[undo]\nbatch = 0", "[undo]\npause_minutes = 121", "[undo]\nwithin_days = 0", "[undo]\nspeed = 1"),
    ],
)
def test_what_names_nothing_is_refused(text: str, tmp_path: Path) -> None:
    assert faults(tmp_path, f"{BUDGET}{text}\n")


@pytest.mark.parametrize("change", ["", 'scope = "/subscriptions/2"'], ids=["all the same", "another scope"])
def test_two_budgets_under_one_id_are_refused(change: str, tmp_path: Path) -> None:
    """An alert for one of them would be planned, carried out and limited by what the other says."""
    other = BUDGET.replace("[budgets.b]", "[budgets.c]").replace("/S/1/", "/s/1")
    if change:
        other = other.replace('scope = "/S/1"', change)
    (found,) = faults(tmp_path, BUDGET + other)
    assert "b and c have one id" in found.message
