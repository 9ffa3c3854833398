"""Exports in a container, from the manifest to the ledger: pairs, restated, shrunk, packed, broken, repaired."""

from __future__ import annotations

import pytest

from tests.azure_export import COMMITTED, AzureExport
from tests.azure_export import azure_export as azure_export
from tests.azure_export import container as container
from tests.servers.azure_runs import packed


def test_actual_and_amortized_of_one_scope_are_one_delivery(azure_export: AzureExport) -> None:
    purchase = {**COMMITTED, "ChargeType": "Purchase", "CostInBillingCurrency": "30", "Quantity": "1"}
    azure_export.actual(azure_export.lines({}, purchase, {**COMMITTED, "CostInBillingCurrency": "0"}))
    azure_export.amortized(azure_export.lines({}, {**COMMITTED, "CostInBillingCurrency": "12"}))
    outcome = azure_export.ledger.ingest(azure_export.location)
    [run] = outcome.document["runs"]
    assert (run["outcome"], run["raw_rows"], azure_export.ledger.total()) == ("committed", 5, "35.00")
    assert sorted(file["role"] for file in run["files"]) == ["actual", "amortized"]
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["unchanged"]


@pytest.mark.parametrize("create_new", [False, True])
def test_a_restated_and_shrunk_pair_replaces_the_month(azure_export: AzureExport, create_new: bool) -> None:
    chunks = [azure_export.costs("1"), azure_export.costs("2", "3")]
    azure_export.pair(*chunks, create_new=create_new)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "6.00"
    azure_export.pair(azure_export.costs("0.5"), create_new=create_new)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "0.50"


def test_files_may_be_packed(azure_export: AzureExport) -> None:
    azure_export.pair(packed(azure_export.costs("1", "2")))
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "3.00"


def test_a_focus_export_needs_no_pair(azure_export: AzureExport) -> None:
    azure_export.focus("1.25")
    azure_export.focus("2.5", period="2026-02")
    outcome = azure_export.ledger.ingest(azure_export.location)
    assert [(run["period"], run["outcome"]) for run in outcome.document["runs"]] == [
        ("2026-01", "committed"),
        ("2026-02", "committed"),
    ]
    assert azure_export.ledger.total() == "3.75"
