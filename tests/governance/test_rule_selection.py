"""Which rule picks which machine at which alert; pairs of what allows and what denies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations, product
from typing import Any

import pytest

from governance.alert import parse
from governance.model import Alert, Budget, Machine, Plan
from governance.places import account_of
from governance.policy import decide, objection
from governance.production import DEFAULT_RULES
from governance.rules import Policy, Price, Safeguards
from tests.governance.scene import DOLLAR, NOW, SUBSCRIPTION, machine, payload

ACCOUNT = SUBSCRIPTION.rpartition("/")[2]


def rule(name: str = "r", **more: Any) -> Policy:
    return Policy(name, ("dev-dollar",), **more)


def budget(*rules: Policy, **safeguards: Any) -> Budget:
    return replace(DOLLAR, policies=rules, safeguards=Safeguards(**safeguards))


def alert(of: Budget, form: str = "common-actual", **changes: object) -> Alert:
    found = parse(payload(form, **changes), budgets=[of], now=NOW)
    assert isinstance(found, Alert)
    return found


def plan(of: Budget, *machines: Machine, **more: Any) -> Plan:
    return decide(alert(of), of, machines, live=True, now=NOW, **more)


def picked(of: Budget, one: Machine) -> str:
    found = plan(of, one)
    return found.targets[0].policy if found.targets else ""


MATCHING: tuple[dict[str, Any], ...] = (
    {"kinds": ("azure_vm",)},
    {"tags": {"Team": "Blue"}},
    {"environments": ("Development",)},
    {"accounts": (ACCOUNT.upper(),)},
    {"accounts": (SUBSCRIPTION,)},
)
MISSING: tuple[dict[str, Any], ...] = (
    {"kinds": ("aws_ec2",)},
    {"tags": {"team": "blue"}},
    {"environments": ("Sandbox",)},
    {"accounts": ("elsewhere",)},
)
BLUE = machine("a", team="Blue")


@pytest.mark.parametrize("filters", [*MATCHING, *({**a, **b} for a, b in combinations(MATCHING, 2))])
def test_filters_that_all_fit_pick(filters: dict[str, Any]) -> None:
    assert picked(budget(rule(**filters)), BLUE) == "r"


@pytest.mark.parametrize(
    ("fits", "misses"), [pair for pair in product(MATCHING, MISSING) if pair[0].keys() != pair[1].keys()]
)
def test_one_filter_that_does_not_fit_is_enough(fits: dict[str, Any], misses: dict[str, Any]) -> None:
    assert picked(budget(rule(**fits, **misses)), BLUE) == ""


@pytest.mark.parametrize("wrong", MISSING)
def test_a_machine_out_says_which_filter_it_missed(wrong: dict[str, Any]) -> None:
    (spared,) = plan(budget(rule(**wrong)), BLUE).spared
    assert spared.reason.startswith("selected by no rule (r: ")


def test_a_machine_of_no_known_environment_is_in_none() -> None:
    of = budget(rule(environments=("Development", "Production")))
    assert picked(of, machine("a", environment="")) == ""
    assert picked(of, machine("a", environment="dev")) == "r"
    assert picked(of, machine("a", environment="dev2")) == ""


def test_the_first_rule_that_fits_picks() -> None:
    of = budget(rule("first", kinds=("aws_ec2",)), rule("second"), rule("third"))
    assert picked(of, BLUE) == "second"


def test_a_rule_that_only_tells_picks_as_well() -> None:
    """Who is told by the first rule that fits is not stopped by a later one; below its threshold it says nothing."""
    of = budget(rule("told", action="notice", tags={"team": "Blue"}), rule("stop"))
    assert picked(of, machine("a")) == "stop"
    (spared,) = plan(of, BLUE).spared
    assert spared.reason == "rule told only tells of it"
    assert picked(replace(of, policies=(replace(of.policies[0], threshold=Decimal(1)), of.policies[1])), BLUE) == "stop"


ALLOWS: tuple[dict[str, Any], ...] = ({}, *MATCHING)
DENIES: tuple[tuple[str, Machine, Budget], ...] = (
    ("spared by rule s", BLUE, budget(rule(), rule("s", action="spare"))),
    ("spared by rule s", BLUE, budget(rule("s", action="spare", tags={"team": "Blue"}, threshold=Decimal(1)))),
    ("protected", BLUE, budget(rule(), protected=(BLUE.id.lower(),))),
    ("protected", BLUE, budget(rule(), protected=(f"{SUBSCRIPTION}/resourcegroups/rg-dev".lower(),))),
    ("held by tag", replace(BLUE, tags={**BLUE.tags, "ledger-hold": "2026-11-13"}), budget(rule())),
    ("exempt by tag", replace(BLUE, tags={**BLUE.tags, "ledger-exempt": "yes"}), budget(rule())),
    ("tag env says production", replace(BLUE, tags={**BLUE.tags, "env": "prod"}), budget(rule())),
    ("locked", replace(BLUE, unstoppable="locked"), budget(rule())),
    ("opt-in tag", replace(BLUE, tags={**BLUE.tags, "ledger-stop": "other"}), budget(rule())),
)  # fmt: skip


@pytest.mark.parametrize(("allow", "deny"), list(product(ALLOWS, DENIES)))
def test_invariant_3_deny_beats_every_rule_that_allows(
    allow: dict[str, Any], deny: tuple[str, Machine, Budget]
) -> None:
    reason, one, of = deny
    of = replace(of, policies=(rule("allow", **allow), *of.policies))
    (spared,) = plan(of, one).spared
    assert reason in spared.reason
    assert reason in objection(one, of, DEFAULT_RULES, NOW, "allow")


def test_a_protected_group_is_not_its_neighbour() -> None:
    of = budget(rule(), protected=(f"{SUBSCRIPTION}/resourcegroups/rg-de".lower(),))
    assert picked(of, BLUE) == "r"


def test_an_exemption_that_has_ended_exempts_no_more() -> None:
    assert picked(budget(rule()), machine("a", ledger_exempt="2026-11-11")) == "r"
    assert picked(budget(rule()), machine("a", ledger_exempt="2026-11-12")) == ""


@pytest.mark.parametrize("key", ["ledger-exempt ", "Ledger_Exempt", "ledger exempt", "ledgerExempt", "LEDGER_HOLD"])
def test_invariant_3_a_deny_is_not_lost_by_its_spelling(key: str) -> None:
    assert picked(budget(rule()), replace(BLUE, tags={**BLUE.tags, key: "yes"})) == ""


def test_before_the_call_the_rule_must_still_be_there_and_fit() -> None:
    of = budget(rule(tags={"team": "Blue"}))
    assert objection(BLUE, of, DEFAULT_RULES, NOW, "r") == ""
    assert "not selected by rule r any more" in objection(machine("a"), of, DEFAULT_RULES, NOW, "r")
    assert objection(BLUE, of, DEFAULT_RULES, NOW, "gone") == "rule gone left the settings"
    assert objection(BLUE, of, DEFAULT_RULES, NOW, "") == ""


@pytest.mark.parametrize(
    ("form", "kind", "action", "threshold", "stops"),
    [
        ("common-actual", "actual", "stop", "0.8", True),
        ("common-actual", "actual", "stop", "0.81", False),
        ("common-actual", "actual", "notice", "0.8", False),
        ("common-actual", "actual", "spare", "0.8", False),
        ("common-actual", "forecast", "stop", "0.8", False),
        ("common-forecast", "forecast", "stop", "1", True),
        ("common-forecast", "forecast", "notice", "1", False),
        ("common-forecast", "actual", "stop", "0.8", False),
    ],
)
def test_threshold_and_kind_of_alert_lead_to_the_action(
    form: str, kind: str, action: str, threshold: str, stops: bool
) -> None:
    of = budget(rule(alerts=(kind,), action=action, threshold=Decimal(threshold)))
    found = alert(of, form)
    assert bool(found.notice_only) is not stops
    told = action == "notice"
    assert found.policies == (("r",) if stops or told else ())


def test_a_rule_whose_threshold_is_not_reached_picks_nothing() -> None:
    of = budget(rule("low", kinds=("aws_ec2",)), rule("high", threshold=Decimal(1)))
    assert alert(of).policies == ("low",)
    assert picked(of, BLUE) == ""


@pytest.mark.parametrize(
    ("id", "account"),
    [
        (BLUE.id, ACCOUNT),
        ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "111122223333"),
        *(("", ""), ("x", ""), ("/subscriptions", ""), ("arn:aws", "")),
    ],
)
def test_the_account_of_an_id(id: str, account: str) -> None:
    assert account_of(id) == account


def test_the_plan_tells_what_each_machine_costs_and_what_stopping_it_saves() -> None:
    off = machine("off", "deallocated")
    price = Price(Decimal("0.5"), "USD", "ledger, rows of 2026-11-11")
    found = plan(budget(rule()), BLUE, off, machine("z"), prices={BLUE.id: price, off.id: price})
    first, unknown = found.targets
    (spared,) = found.spared
    assert (first.per_hour, first.saves, first.currency, first.price_source) == (
        *(Decimal("0.5"), Decimal("0.5"), "USD"),
        "ledger, rows of 2026-11-11",
    )
    assert found.until == datetime(2026, 12, 1, tzinfo=UTC)
    assert first.saves_until_end == Decimal("0.5") * (18 * 24 * 60 + 7 * 60 + 55) / 60
    assert (unknown.per_hour, unknown.saves, unknown.saves_until_end) == (None, None, None)
    assert unknown.price_source.startswith("unknown")
    assert (spared.per_hour, spared.saves, spared.saves_until_end) == (Decimal("0.5"), Decimal(0), Decimal(0))
    assert found.population == 3


def test_the_digest_covers_prices_rules_and_population() -> None:
    of = budget(rule())
    price = {BLUE.id: Price(Decimal(1), "USD", "x")}
    plans = [
        plan(of, BLUE),
        plan(of, BLUE, prices=price),
        plan(budget(rule("q")), BLUE),
        plan(of, BLUE, machine("z", "deallocated")),
    ]
    assert len({one.digest for one in plans}) == len(plans)
