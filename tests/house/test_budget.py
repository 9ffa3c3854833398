"""The budget that is deployed is the one that ledger.toml answers for: an alert that differs is refused."""

from __future__ import annotations

import re
from decimal import Decimal

import settings
from governance.model import Budget
from tests.house import bicep
from tests.house.source import ROOT

FILTER = re.compile(r"tags: \{\s+name: '(.+)'\s+operator: 'In'\s+values: \[\s+(\w+)\s+\]")
MODULE = ROOT / "infra/modules/budget.bicep"
PARAMETERS = (ROOT / "infra/main.bicepparam").read_text(encoding="utf-8")


def known() -> Budget:
    [budget] = settings.load(ROOT / "ledger.toml", {}).budgets
    return budget


def parameter(name: str) -> str:
    found = re.search(rf"^param {name} = (.+)$", PARAMETERS, re.MULTILINE)
    assert found, name
    return found[1].strip("'")


def test_its_name_is_the_same_everywhere() -> None:
    assert known().name == parameter("budgetName") == bicep.defaults(ROOT / "infra/main.bicep")["budgetName"]
    assert known().id.endswith(f"/microsoft.consumption/budgets/{parameter('budgetName')}")


def test_its_amount_is_the_same_everywhere() -> None:
    default = bicep.defaults(ROOT / "infra/main.bicep")["budgetAmount"]
    assert known().amount == Decimal(parameter("budgetAmount")) == Decimal(default)


def test_the_alert_is_sent_when_the_guard_may_act() -> None:
    shares = [
        Decimal(one) / 100 for one in re.findall(r"^\s+threshold: (\d+)$", MODULE.read_text("utf-8"), re.MULTILINE)
    ]
    assert shares == [known().action_threshold, 1]


def test_it_counts_the_machines_that_the_guard_may_stop() -> None:
    filtered = FILTER.search(MODULE.read_text("utf-8"))
    assert filtered, "no filter by tag"
    assert known().opt_in_key == filtered[1]
    assert known().opt_in_value == parameter(filtered[2])


def test_no_source_is_looked_for_where_the_deployed_app_has_nothing() -> None:
    """Folders of this repository are not in the package, and the timer would fail on each every time."""
    sources = settings.load(ROOT / "ledger.toml", {}).sources
    assert [source.location for source in sources if source.location and not source.location.startswith("az://")] == []
