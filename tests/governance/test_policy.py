from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.alert import parse
from governance.model import Alert, Machine, Plan
from governance.policy import decide
from ledger.classify import Classification
from ledger.faults import Rejected
from tests.governance.scene import BUDGETS, DOLLAR, NOW, SUBSCRIPTION, machine, payload

ALERT = parse(payload("common-actual"), budgets=BUDGETS, now=NOW)
assert isinstance(ALERT, Alert)


def plan(*machines: Machine, live: bool = True) -> Plan:
    assert isinstance(ALERT, Alert)
    return decide(ALERT, DOLLAR, machines, live=live, now=NOW)


def why_spared(one: Machine) -> str:
    (spared,) = plan(one).spared
    return spared.reason


@pytest.mark.parametrize("field", ["opt_in_key", "opt_in_value", "scope"])
@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_invariant_1_an_empty_selector_selects_nothing_and_is_loud(field: str, blank: str) -> None:
    assert isinstance(ALERT, Alert)
    changed: dict[str, Any] = {field: blank}
    with pytest.raises(Rejected):
        decide(ALERT, replace(DOLLAR, **changed), [machine("a")], live=True, now=NOW)


def test_a_scope_wider_than_a_subscription_is_refused() -> None:
    assert isinstance(ALERT, Alert)
    for scope in ("/", "/subscriptions", "/subscriptions/"):
        with pytest.raises(Rejected):
            decide(ALERT, replace(DOLLAR, scope=scope), [machine("a")], live=True, now=NOW)


words = st.sampled_from(["ledger-stop", "Ledger-Stop", "dev-dollar", "Dev-Dollar", " dev-dollar", "", "env", "prod"])


@given(st.dictionaries(words | st.text(max_size=8), words | st.text(max_size=8), max_size=5))
def test_invariant_2_only_the_exact_opt_in_tag_selects(tags: dict[str, str]) -> None:
    opted = [value for key, value in tags.items() if key.lower() == "ledger-stop"]
    taken = bool(plan(replace(machine("a"), tags=tags)).targets)
    assert not taken or (opted and set(opted) == {"dev-dollar"})


def test_invariant_2_no_tag_is_production() -> None:
    assert "treated as production" in why_spared(machine("a", ledger_stop=""))


NO_TAGS: dict[str, str] = {}
ALLOWS = (NO_TAGS, {"environment": "development"}, {"environment": "sandbox"}, {"environment": ""})
DENIES = (
    {"ledger_exempt": "true"},
    {"Ledger_Exempt": "false"},
    {"environment": "Production"},
    {"env": "prod-eu"},
    {"Env": "LIVE"},
    {"ledger_stop": "lab-monthly"},
    {"ledger_stop": "Dev-Dollar"},
    {"ledger_stop": "dev-dollar "},
)


@pytest.mark.parametrize(("allow", "deny"), list(product(ALLOWS, DENIES)))
def test_invariant_3_deny_beats_allow(allow: dict[str, str], deny: dict[str, str]) -> None:
    assert plan(machine("a", **allow)).targets
    assert not plan(machine("a", **{**allow, **deny})).targets


def test_outside_the_scope_is_spared() -> None:
    stranger = replace(machine("a"), id=machine("a").id.replace(SUBSCRIPTION, SUBSCRIPTION + "0"))
    assert why_spared(stranger) == "outside the budget's scope"


@pytest.mark.parametrize(("live", "budget_live"), [(False, False), (False, True), (True, False)])
def test_invariant_4_dry_run_unless_both_switches_say_live(live: bool, budget_live: bool) -> None:
    assert isinstance(ALERT, Alert)
    assert decide(ALERT, replace(DOLLAR, live=budget_live), [], live=live, now=NOW).dry_run
    assert not decide(ALERT, replace(DOLLAR, live=True), [], live=True, now=NOW).dry_run


@pytest.mark.parametrize("power", ["running", "starting", "stopping", "stopped", "unknown"])
def test_invariant_11_whatever_is_still_billed_is_a_target(power: str) -> None:
    (target,) = plan(machine("a", power)).targets
    assert target.power == power
    assert power in target.reason


@pytest.mark.parametrize("power", ["deallocated", "deallocating"])
def test_what_is_off_already_is_spared(power: str) -> None:
    assert why_spared(machine("a", power)).startswith(f"already {power}")


PRODUCTION = (
    *("prod", "PRODUCTION", "prod-eu-1", "prd", "prd-eu", "PRD_WEST", "Live", "live-eu", "P", "critical", "pr0d"),
    *("prod (not pre-prod)", "not dev", "dev/prod", "devops", "shared", "delivery", "", " ", "1", "-"),
)
HARMLESS = (
    *("dev", " Dev ", "DEVELOPMENT", "dev2", "dev-1", "dev/test", "sandbox", "lab", "qa", "pre-prod", "preprod"),
    *("non-prod", "NonProduction", "pre-production", "pre_prod", "staging (pre-prod)"),
)
KEYS = ("environment", "Env", "STAGE", "tier", "lifecycle", "deployment-environment", "Deployment_Environment", " env ")


def tagged(**tags: str) -> Machine:
    return replace(machine("a"), tags={"ledger-stop": "dev-dollar", **tags})


@pytest.mark.parametrize("word", PRODUCTION)
def test_invariant_2_what_does_not_say_non_production_is_production(word: str) -> None:
    for key in KEYS:
        assert why_spared(tagged(**{key: word})) == f"tag {key} says production or nothing known ({word})"


@pytest.mark.parametrize("word", HARMLESS)
def test_words_for_anything_else(word: str) -> None:
    for key in KEYS:
        assert plan(tagged(**{key: word})).targets


def test_without_an_environment_tag_the_opt_in_is_the_consent() -> None:
    assert plan(tagged()).targets
    assert plan(tagged(colour="prod")).targets


def test_one_tag_that_says_production_is_enough() -> None:
    assert why_spared(tagged(environment="dev", stage="production")).startswith("tag stage says production")


def ruled(one: Machine, **rules: Any) -> bool:
    assert isinstance(ALERT, Alert)
    return bool(decide(ALERT, DOLLAR, [one], live=True, now=NOW, rules=Classification(**rules)).targets)


def test_invariant_2_the_words_of_the_settings_are_obeyed() -> None:
    own = {"Sandbox": ("lab",), "Production": ("lab",), "Dev": ("entw", "dev-eu"), "Integration": ("int",)}
    taken = [word for word in ("lab", "entw", "dev-eu", "int", "sandbox") if ruled(tagged(env=word), values=own)]
    assert taken == ["entw", "dev-eu"]
    assert not ruled(tagged(landscape="prod"), tag_keys=("Landscape",))
    assert not ruled(tagged(env="prod"), tag_keys=("Landscape",))


@pytest.mark.parametrize(("environment", "taken"), [("Production", False), ("Shared", False), ("Development", True)])
def test_invariant_2_a_subscription_mapped_to_production_is_spared(environment: str, taken: bool) -> None:
    account = SUBSCRIPTION.rpartition("/")[2].upper()
    assert ruled(tagged(env="dev"), accounts={account: environment}) is taken
    assert ruled(tagged(env="dev"), accounts={"another": environment})


@pytest.mark.parametrize("written", ["{}", " {}", "/subscriptions/{}", "/Subscriptions/{}/"])
def test_invariant_3_an_account_is_meant_however_bills_write_it(written: str) -> None:
    """FOCUS exports of Azure have the whole id as SubAccountId. Written twice, production beats the other."""
    account = SUBSCRIPTION.rpartition("/")[2]
    key = written.format(account.upper())
    assert not ruled(tagged(env="dev"), accounts={key: "Production"})
    assert ruled(tagged(env="dev"), accounts={key: "Development"})
    for first, second in permutations([(key, "Production"), (f"{account}  ", "Development")]):
        assert not ruled(tagged(env="dev"), accounts=dict([first, second]))


@given(st.permutations([machine("a"), machine("b", "stopped"), machine("c", env="prod"), machine("d", "deallocated")]))
def test_a_plan_does_not_depend_on_the_order_of_the_listing(machines: list[Machine]) -> None:
    shuffled = plan(*machines, *machines)
    assert shuffled == plan(
        machine("a"), machine("b", "stopped"), machine("c", env="prod"), machine("d", "deallocated")
    )
    assert [target.id[-1] for target in (*shuffled.targets, *shuffled.spared)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("other", [machine("b"), machine("a", "stopped"), machine("a", colour="red")])
def test_the_digest_tells_plans_apart(other: Machine) -> None:
    assert plan(machine("a")).digest != plan(other).digest
    assert plan(machine("a")).digest != plan(machine("a"), live=False).digest
