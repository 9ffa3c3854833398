"""Azure's files as people have them: other spellings, languages, delimiters, numbers and dates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.unrecognised import translated
from tests.azure_bills import MCA, PAYG, payg
from tests.bills import AZURE, Ledger, azure
from tests.mapped import write_csv

GERMAN = {
    "SubscriptionId": "Abonnement-ID",
    "Date": "Datum",
    "CostInBillingCurrency": "Kosten in Abrechnungswährung",
    "BillingCurrencyCode": "Abrechnungswährung",
    "Quantity": "Menge",
    "UnitOfMeasure": "Maßeinheit",
    "MeterCategory": "Kategorie der Verbrauchseinheit",
    "ChargeType": "Gebührentyp",
    "PartNumber": "Teilenummer",
}


def in_german(names: Mapping[str, str], keep: bool) -> dict[str, str]:
    """The line with its names in German, with the real one behind in parentheses or without."""
    return {f"{GERMAN.get(name, name)} ({name})" if keep else GERMAN.get(name, name): names[name] for name in names}


def semicolons(path: Path, line: Mapping[str, str]) -> Path:
    path.write_text(f"{';'.join(line)}\n{';'.join(line.values())}\n", encoding="utf-8-sig")
    return path


def test_localised_headers_with_the_real_names_are_read(ledger: Ledger, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "actual.csv", [in_german(AZURE, keep=True)])
    assert ledger.ingest(file, "--basis", "actual").outcomes == ["committed"]
    assert ledger.total() == "5.00"


def test_a_header_in_another_language_says_what_to_do(ledger: Ledger, tmp_path: Path) -> None:
    fault = ledger.ingest(write_csv(tmp_path / "a.csv", [in_german(AZURE, keep=False)])).fault
    assert fault["rule"] == "translated-header"
    assert "German" in fault["message"] and "Abrechnungswährung" in fault["message"]
    assert "English" in fault["advice"]


def test_a_word_that_two_languages_share_is_told_by_the_others() -> None:
    words = translated(["Kosten", "Valuta", "Menge", "MeterId"])
    assert words == {"Kosten": "German or Dutch", "Valuta": "Italian or Dutch", "Menge": "German"}


def test_a_file_that_lacks_columns_hears_which(ledger: Ledger, tmp_path: Path) -> None:
    lacking = {name: value for name, value in PAYG.items() if name not in ("Currency", "UsageQuantity", "ServiceTier")}
    fault = ledger.ingest(write_csv(tmp_path / "a.csv", [lacking])).fault
    assert fault["rule"] == "unknown-shape"
    assert "Azure usage details (pay-as-you-go), but without Quantity, BillingCurrencyCode" in fault["message"]


def test_semicolons_are_a_delimiter_too(ledger: Ledger, tmp_path: Path) -> None:
    file = semicolons(tmp_path / "actual.csv", AZURE)
    assert ledger.ingest(file, "--basis", "actual").outcomes == ["committed"]
    assert ledger.total() == "5.00"


@pytest.mark.parametrize("amount", ["1,5", "1,234", "1.234,56", "-0,5", "1,234.5"])
def test_a_comma_in_an_amount_is_not_guessed(amount: str, ledger: Ledger, tmp_path: Path) -> None:
    fault = ledger.ingest(semicolons(tmp_path / "actual.csv", {**AZURE, "CostInBillingCurrency": amount})).fault
    assert (fault["rule"], fault["column"], fault["row"]) == ("decimal-comma", "CostInBillingCurrency", 1)


def test_a_comma_in_a_price_is_not_guessed_either(ledger: Ledger, tmp_path: Path) -> None:
    file = semicolons(tmp_path / "actual.csv", {**AZURE, "UnitPrice": "0,5"})
    assert ledger.ingest(file, "--basis", "actual").fault["rule"] == "decimal-comma"


@pytest.mark.parametrize("text", ["31.01.2026", "05.01.2026", "2026/01/05", "31/01/2026", "5 Jan 2026"])
def test_dates_in_another_format_are_refused(text: str, ledger: Ledger, tmp_path: Path) -> None:
    fault = ledger.ingest(azure(tmp_path / "actual.csv", {"Date": text})).fault
    assert (fault["rule"], fault["column"]) == ("not-a-date", "Date")


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ({"BillingPeriodStartDate": "01/02/2026"}, ["03/02/2026"]),  # the first of February
        ({"BillingPeriodStartDate": "2026-02-01"}, ["03/02/2026"]),
        ({"BillingPeriodStartDate": ""}, ["03/02/2026", "04/02/2026"]),
    ],
)
def test_days_before_months_are_refused(
    period: dict[str, str], days: list[str], ledger: Ledger, tmp_path: Path
) -> None:
    lines = [period | {"Date": day} for day in days]
    assert ledger.ingest(azure(tmp_path / "actual.csv", *lines)).fault["rule"] == "day-first-dates"


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ({"BillingPeriodStartDate": "02/01/2026"}, ["02/03/2026", "02/04/2026"]),
        ({"BillingPeriodStartDate": "02/01/2026", "BillingPeriodEndDate": "02/28/2026"}, ["01/02/2026"]),  # late
        ({"BillingPeriodStartDate": ""}, ["02/03/2026", "02/13/2026"]),
    ],
)
def test_months_before_days_are_read(period: dict[str, str], days: list[str], ledger: Ledger, tmp_path: Path) -> None:
    lines = [period | {"Date": day} for day in days]
    outcome = ledger.ingest(azure(tmp_path / "actual.csv", *lines), "--basis", "actual")
    assert [run["period"] for run in outcome.document["runs"]] == ["2026-02"], outcome.document


def test_a_single_day_that_could_be_either_is_told(ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(payg(tmp_path / "a.csv", {"UsageDateTime": "2/1/2026"})).document["runs"]
    assert run["period"] == "2026-02"
    assert any("read as month and day" in text for text in run["assumed"])


def test_a_period_that_is_not_known_yet_is_that_of_the_day(ledger: Ledger, tmp_path: Path) -> None:
    unbilled = dict.fromkeys(("billingPeriodStartDate", "billingPeriodEndDate"), "0001-01-01T00:00:00Z")
    file = write_csv(tmp_path / "actual.csv", [{**MCA, **unbilled}])
    [run] = ledger.ingest(file, "--basis", "actual").document["runs"]
    assert run["period"] == "2026-01"


def test_two_columns_of_one_name_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    line = {**MCA, "productName": "another"}
    fault = ledger.ingest(write_csv(tmp_path / "actual.csv", [line])).fault
    assert (fault["rule"], "productname" in fault["message"]) == ("doubled-column", True)


def test_a_place_and_its_other_name_are_two_columns(ledger: Ledger, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "actual.csv", [{**MCA, "product": "another"}])
    assert ledger.ingest(file, "--basis", "actual").outcomes == ["committed"]
