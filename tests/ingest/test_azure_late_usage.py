"""Usage that is billed a month late: in one month of the ledger, whichever way its exports go."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ingest.holding import LATE, Span, doubled, span_of
from ingest.mappings import shape_entries
from ledger.delivery import Period
from tests.azure_export import AzureExport
from tests.azure_export import azure_export as azure_export
from tests.azure_export import container as container
from tests.bills import Outcome

JANUARY, FEBRUARY = Period(2026, 1), Period(2026, 2)
LATE_LINE = {"CostInBillingCurrency": "4", "Date": "01/30/2026", "BillingPeriodStartDate": "02/01/2026"}
BY_DAYS = {JANUARY: ({}, LATE_LINE), FEBRUARY: ({},)}
BY_INVOICES = {JANUARY: ({},), FEBRUARY: ({}, LATE_LINE)}


def deliver(export: AzureExport, period: Period, lines: tuple[Mapping[str, str], ...]) -> Outcome:
    own = f"{period.month:02d}"
    plain = {"CostInBillingCurrency": "1", "Date": f"{own}/05/2026"}
    export.pair(export.lines(*({**plain, **line} for line in lines), month=str(period)), period=str(period))
    return export.ledger.ingest(export.location, "--source", "main", "--period", str(period))


@pytest.mark.parametrize("way", [BY_DAYS, BY_INVOICES], ids=["days", "invoices"])
def test_either_way_it_counts_once(
    azure_export: AzureExport, way: Mapping[Period, tuple[Mapping[str, str], ...]]
) -> None:
    for period in (JANUARY, FEBRUARY):
        assert deliver(azure_export, period, way[period]).outcomes == ["committed"]
    assert azure_export.ledger.total() == "6.00"


def test_a_switch_from_days_to_billing_months_that_counts_it_twice_is_refused(azure_export: AzureExport) -> None:
    deliver(azure_export, JANUARY, BY_DAYS[JANUARY])
    refused = deliver(azure_export, FEBRUARY, BY_INVOICES[FEBRUARY])
    assert (refused.code, refused.fault["rule"]) == (2, "late-usage-twice")
    assert "have 2026-01 delivered by billing months" in refused.fault["advice"]
    assert deliver(azure_export, JANUARY, BY_INVOICES[JANUARY]).outcomes == ["committed"]
    assert deliver(azure_export, FEBRUARY, BY_INVOICES[FEBRUARY]).outcomes == ["committed"]
    assert azure_export.ledger.total() == "6.00"


def test_the_switch_back_is_refused_for_the_month_that_would_have_it_again(azure_export: AzureExport) -> None:
    for period in (JANUARY, FEBRUARY):
        deliver(azure_export, period, BY_INVOICES[period])
    refused = deliver(azure_export, JANUARY, BY_DAYS[JANUARY])
    assert (refused.code, refused.fault["rule"]) == (2, "late-usage-twice")
    assert azure_export.ledger.total() == "6.00"


def span(period: Period, first: str, late: int = 1) -> Span:
    return Span(period, f"{first}T00:00:00.000000Z", f"{period}-28T00:00:00.000000Z", late)


@pytest.mark.parametrize(
    ("older", "newer", "twice"),
    [
        (span(JANUARY, "2026-01-01"), span(FEBRUARY, "2026-01-30"), True),
        (span(JANUARY, "2026-01-01", 0), span(FEBRUARY, "2026-01-30"), False),
        (span(JANUARY, "2026-01-01"), span(FEBRUARY, "2026-02-01"), False),
        (span(JANUARY, "2025-12-31"), span(FEBRUARY, "2026-01-30"), False),
        (span(JANUARY, "2026-01-01"), span(Period(2026, 4), "2026-03-30"), False),
    ],
    ids=["twice", "none-late", "both-by-days", "both-by-invoices", "of-another-month"],
)
def test_what_counts_twice(older: Span, newer: Span, twice: bool) -> None:
    assert bool(doubled(newer, [older])) is bool(doubled(older, [newer])) is twice


def test_what_a_report_tells() -> None:
    days = ["2026-01-01T00:00:00.000000Z", "2026-01-31T00:00:00.000000Z"]
    assert span_of({"period": "2026-01", "days": days, "assumed": {LATE: 2}}) == Span(JANUARY, days[0], days[1], 2)
    assert span_of({"period": "2026-01", "days": [], "assumed": {}}) is span_of({}) is None
    assert LATE in next(dict(one["assumptions"]) for one in shape_entries() if one["shape"] == "azure_cost_details_ea")
