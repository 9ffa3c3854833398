"""What Azure is really asked while its bills are read, reconciled and looked for: nothing that is not a read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cli
from emulators.arm import Arm
from emulators.cloud import Cloud
from emulators.cost_exports import ExportsApi
from emulators.cost_query import QueryApi
from emulators.cost_reports import reporting
from tests.azure_reports import ACTUAL, AMORTIZED, ENROLLMENT, MONTH, NOW, table
from tests.bills import Ledger
from tests.test_azure_roles import COSTS, READER, documented

# Method and first word after the provider -> the operation that permits it.
ASKED = {
    ("POST", "generatecostdetailsreport"): f"{COSTS}/generateCostDetailsReport/read",
    ("GET", "costdetailsoperationresults"): f"{COSTS}/generateCostDetailsReport/read",
    ("POST", "query"): f"{COSTS}/query/read",
    ("GET", "exports"): f"{COSTS}/exports/read",
}


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with reporting(Cloud(NOW)) as (running, reports):
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        reports.give(ENROLLMENT, "ActualCost", str(MONTH), table(*ACTUAL))
        reports.give(ENROLLMENT, "AmortizedCost", str(MONTH), table(*AMORTIZED))
        running.cost.handlers |= {"query": QueryApi([]), "exports": ExportsApi()}
        yield running


def test_all_that_the_service_does_is_a_read_that_a_reader_may(arm: Arm, ledger: Ledger) -> None:
    assert ledger.ingest("azure", "--scope", ENROLLMENT, "--period", str(MONTH)).outcomes == ["committed"]
    place = ["--store", ledger.store, "--config", str(ledger.config), "--json"]
    cli.main(["reconcile", "--provider", "azure", "--scope", ENROLLMENT, "--period", str(MONTH), *place])
    cli.main(["azure", "exports", "--scope", ENROLLMENT, "--json"])
    asked = {(one.method, one.word) for one in arm.cost.asked}
    assert asked == set(ASKED)
    assert {documented()[ASKED[one]][1] for one in asked} == {READER}
