"""Capacity of Snowflake is billed once: as it is drawn down, as it is bought, or by the marketplace it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wiring
from tests.bills import SNOWFLAKE, Ledger, azure, cur2
from tests.exports import export
from tests.ingest.test_snowflake_contracts import table
from tests.mapped import Row, focus_rows, write_csv
from tests.snowflake_contract import ITEM, bill, used

BOUGHT = {"BILLING_TYPE": "CAPACITY_PURCHASE", "USAGE_TYPE": "CAPACITY", "BALANCE_SOURCE": ""}
MONTH = {"END_DATE": "2026-01-31"}
SETTINGS = {
    "draw-down": {"contract_billing": "draw-down"},
    "purchase": {"contract_billing": "purchase"},
    "aws": {"marketplace": "aws"},
}


def configured(ledger: Ledger, **keys: str) -> None:
    lines = ["[sources.snow]", 'provider = "snowflake"', 'accounts = ["EXAMPLE"]']
    ledger.config.write_text("\n".join([*lines, *(f'{key} = "{value}"' for key, value in keys.items())]))


def balance(run: Mapping[str, Any]) -> dict[str, str]:
    [line] = run["balances"]
    sums = {"raw": line["raw"], "mapped": line["mapped"], "effective": line["effective"], **line["excluded"]}
    return {name: f"{Decimal(value).normalize():f}" for name, value in sums.items()}


def test_capacity_is_billed_as_it_is_drawn_down_unless_told_otherwise(ledger: Ledger, tmp_path: Path) -> None:
    lines = [used("2026-01-05", "70"), used("2026-01-09", "30", "overage"), used("2026-01-01", "300", **BOUGHT)]
    [run] = ledger.ingest(bill(tmp_path / "a", *lines)).document["runs"]
    rule = "snowflake-purchase-billed-as-drawn-down"
    assert balance(run) == {"raw": "400", "mapped": "100", "effective": "100", rule: "300"}
    assert run["rules"] == {rule: 1}
    assert ledger.broken_rules() == {}


def test_a_purchase_is_billed_in_the_month_in_which_its_item_begins(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, contract_billing="purchase")
    lines = [used("2026-01-05", "70"), used("2026-01-09", "30", "overage"), used("2026-01-08", "5", "free usage")]
    folder = bill(tmp_path / "a", *lines, items=[{}, {"CONTRACT_ITEM": "free usage", "AMOUNT": "40"}])
    write_csv(folder / "more.csv", [{**SNOWFLAKE, **used("2026-01-06", "1"), "ACCOUNT_LOCATOR": "XY2"}])
    [run] = ledger.ingest(folder).document["runs"]
    rule = "snowflake-draw-down-billed-as-purchase"
    assert balance(run) == {"raw": "406", "mapped": "330", "effective": "106", rule: "76"}
    [bought] = [row for row in table(ledger, wiring.book) if row["x_RowKind"] == "contract-purchase"]
    assert {name: bought[name] for name in ("ChargeCategory", "ChargeFrequency", "BilledCost", "EffectiveCost")} == {
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "One-Time",
        "BilledCost": 300,
        "EffectiveCost": 0,
    }
    assert (bought["ResourceId"], bought["ServiceName"]) == ("9/capacity/2026-01-01", "Snowflake Capacity")
    assert (bought["SubAccountId"], f"{bought['ChargePeriodStart']:%Y-%m-%d}") == (None, "2026-01-01")
    [later] = ledger.ingest(bill(tmp_path / "b", used("2026-02-05", "70"))).document["runs"]
    assert balance(later) == {"raw": "70", "mapped": "0", "effective": "70", rule: "70"}
    assert ledger.broken_rules() == {}


@pytest.mark.parametrize(
    ("items", "billed", "rule"), [(1, "300", "snowflake-purchase-billed-by-contract-item"), (0, "275", "")]
)
def test_a_purchase_that_the_usage_tells_too_is_billed_once(
    ledger: Ledger, tmp_path: Path, items: int, billed: str, rule: str
) -> None:
    """Instalments of a year's capacity are not the item's price; the contract's own item is."""
    configured(ledger, contract_billing="purchase")
    folder = bill(tmp_path / "a", used("2026-01-15", "275", **BOUGHT), items=[{}] * items)
    [run] = ledger.ingest(folder).document["runs"]
    left_out = {rule: "275"} if rule else {}
    assert balance(run) == {"raw": "575" if items else "275", "mapped": billed, "effective": "0", **left_out}
    assert ledger.broken_rules() == {}


@pytest.mark.parametrize(("cloud", "operator"), [("aws", "AWS"), ("azure", "Microsoft"), ("gcp", "Google")])
def test_what_a_marketplace_bills_is_no_money_of_this_bill(
    ledger: Ledger, tmp_path: Path, cloud: str, operator: str
) -> None:
    configured(ledger, marketplace=cloud, contract_billing="purchase")
    lines = [used("2026-01-05", "70"), used("2026-01-09", "30", "overage"), used("2026-01-01", "300", **BOUGHT)]
    [run] = ledger.ingest(bill(tmp_path / "a", *lines)).document["runs"]
    expected = {"raw": "400", "mapped": "0", "effective": "100", "snowflake-billed-by-marketplace": "400"}
    assert balance(run) == expected
    parties = {tuple(row[name] for name in PARTIES) for row in table(ledger, wiring.book)}
    assert parties == {("Snowflake", operator, operator, "Snowflake")}
    assert ledger.broken_rules() == {}


PARTIES = ("ServiceProviderName", "InvoiceIssuerName", "ProviderName", "PublisherName")


def test_the_operator_has_the_name_that_the_settings_give_it(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, marketplace="aws")
    ledger.config.write_text(ledger.config.read_text() + '\n[entities]\nAWS = "Amazon"\n')
    ledger.ingest(bill(tmp_path / "a"))
    assert {row["InvoiceIssuerName"] for row in table(ledger, wiring.book)} == {"Amazon"}


@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_a_purchase_through_a_marketplace_and_the_usage_from_it_count_once(
    ledger: Ledger, tmp_path: Path, cloud: str
) -> None:
    """Billed by the operator, effective where it is used; tax on the purchase is told by nobody else."""
    configured(ledger, marketplace=cloud)
    payer = {"aws": "111122223333", "azure": "70000042"}[cloud]
    operator = f'[sources.payer]\nprovider = "{cloud}"\naccounts = ["{payer}"]\nprepaid_sellers = ["Snowflake Inc."]'
    ledger.config.write_text(f"{ledger.config.read_text()}\n{operator}")
    taken = ledger.ingest(*operator_bill(cloud, tmp_path))
    assert taken.code == 0, taken.document["faults"]
    ledger.ingest(bill(tmp_path / "snow", used("2026-01-05", "70"), used("2026-01-30", "230")))
    block = ledger.figures()["currencies"]["USD"]
    assert (block["total"], block["effective"]) == ("319.00", "319.00")
    assert ledger.broken_rules() == {}


def operator_bill(cloud: str, folder: Path) -> list[Path | str]:
    """300 for Snowflake, and 19 of the operator's own: of AWS a tax on the purchase."""
    if cloud == "aws":
        fee = {
            "bill_billing_entity": "AWS Marketplace",
            "line_item_legal_entity": "Snowflake Inc.",
            "line_item_line_item_type": "Fee",
            "line_item_product_code": "snowflakecapacity",
            "line_item_unblended_cost": 300.0,
        }
        tax = {**fee, "line_item_line_item_type": "Tax", "line_item_unblended_cost": 19.0}
        return [cur2(folder / "aws.parquet", fee, tax)]
    bought = {
        "PublisherType": "Marketplace",
        "PublisherName": "Snowflake Inc.",
        "ChargeType": "Purchase",
        "Frequency": "OneTime",
        "Quantity": "1",
        "UnitPrice": "300",
        "CostInBillingCurrency": "300",
    }
    own = {"PublisherType": "Azure", "PublisherName": "Microsoft", "CostInBillingCurrency": "19"}
    pair = [azure(folder / f"{role}.csv", bought, own) for role in ("actual", "amortized")]
    return [*pair]


def test_a_currency_in_small_letters_is_the_source_s_and_the_contract_s(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, contract_billing="purchase", currency="USD")
    lines = [used("2026-01-05", "70"), used("2026-01-09", "30", "overage", CURRENCY="usd")]
    folder = bill(tmp_path / "a", *lines, items=[{"CURRENCY": "Usd"}], balances=[{"CURRENCY": "usd"}])
    [run] = ledger.ingest(folder).document["runs"]
    assert (run["outcome"], balance(run)["mapped"]) == ("committed", "330")
    assert ledger.broken_rules() == {}


def test_a_purchase_in_another_currency_than_the_source_s_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, contract_billing="purchase", currency="USD")
    euros = {"CONTRACT_NUMBER": "11", "CURRENCY": "EUR", "AMOUNT": "40"}
    fault = ledger.ingest(bill(tmp_path / "a", items=[{}, euros])).fault
    assert (fault["rule"], fault["column"]) == ("contract-currency", "CURRENCY")
    assert "11/capacity/2026-01-01" in fault["message"] and "EUR 40.00" in fault["message"]
    assert fault["file"].endswith("contract_items.csv")
    assert ledger.figures()["currencies"] == {}
    for at, other in enumerate(({"START_DATE": "2026-02-01"}, {"CONTRACT_ITEM": "free usage"})):
        assert ledger.ingest(bill(tmp_path / f"b{at}", items=[{}, {**euros, **other}])).outcomes == ["committed"]


CHANGED: Mapping[str, tuple[Mapping[str, str], str]] = {
    "moved": ({"START_DATE": "2026-02-10"}, "9/capacity/2026-01-01 at USD 300.00, now in 2026-02 at USD 300.00"),
    "raised": ({"AMOUNT": "500.50"}, "9/capacity/2026-01-01 at USD 300.00, now at USD 500.50"),
    "in euros": ({"CURRENCY": "EUR"}, "9/capacity/2026-01-01 at USD 300.00, now at EUR 300.00"),
    "another item": ({"CONTRACT_ITEM": "rollover"}, "9/capacity/2026-01-01 at USD 300.00, now not at all"),
}


@pytest.mark.parametrize("case", CHANGED)
def test_a_month_whose_purchase_has_changed_since_is_told_until_it_is_read_again(
    case: str, ledger: Ledger, tmp_path: Path
) -> None:
    configured(ledger, contract_billing="purchase")
    changes, told = CHANGED[case]
    now = [{**changes, "CONTRACT_MODIFIED_DATE": "2026-02-01"}]
    currency = changes.get("CURRENCY", "USD")
    later = used("2026-02-12", "7", CURRENCY=currency)
    assert ledger.ingest(bill(tmp_path / "a", used("2026-01-01", "70"))).document["runs"][0]["assumed"] == {}
    outcome = ledger.ingest(bill(tmp_path / "b", later, items=now))
    assert outcome.outcomes == ["committed"], outcome.document
    [run] = outcome.document["runs"]
    expected = {f"purchases that 2026-01 has as they were, read 2026-01 again: {told}": 1}
    assert (run["outcome"], run["assumed"]) == ("committed", expected)
    again = ledger.ingest(bill(tmp_path / "c", used("2026-01-01", "70", CURRENCY=currency), items=now))
    assert again.outcomes == ["committed"], again.document["faults"]
    assert again.document["runs"][0]["assumed"] == {}
    third = ledger.ingest(bill(tmp_path / "d", used("2026-03-02", "7", CURRENCY=currency), items=now))
    assert third.document["runs"][0]["assumed"] == {}
    assert ledger.broken_rules() == {}


def test_a_month_that_lacks_a_purchase_known_now_is_told(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, contract_billing="purchase")
    ledger.ingest(bill(tmp_path / "a", used("2026-01-05", "70"), items=()))
    [run] = ledger.ingest(bill(tmp_path / "b", used("2026-02-12", "7"))).document["runs"]
    lacks = "9/capacity/2026-01-01 not at all, now at USD 300.00"
    assert run["assumed"] == {f"purchases that 2026-01 has as they were, read 2026-01 again: {lacks}": 1}


def test_a_changed_item_is_no_purchase_where_usage_is_billed(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(bill(tmp_path / "a"))
    raised = {"AMOUNT": "500", "CONTRACT_MODIFIED_DATE": "2026-02-01"}
    [run] = ledger.ingest(bill(tmp_path / "b", used("2026-02-12", "7"), items=[raised])).document["runs"]
    assert run["assumed"] == {}


def test_what_one_source_asks_for_is_not_asked_of_the_next(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, marketplace="aws")
    folder = bill(tmp_path / "a")
    write_csv(folder / "other.csv", [{**SNOWFLAKE, "ORGANIZATION_NAME": "SECOND"}])
    ledger.ingest(folder)
    assert ledger.total() == "210.00"


CENTS = st.integers(1, 90_000).map(lambda cents: Decimal(cents) / 100)


@given(st.lists(CENTS, min_size=1, max_size=6), st.lists(CENTS, max_size=3))
@settings(max_examples=12, deadline=None)
def test_the_money_of_a_whole_contract_is_billed_once_under_every_setting(
    drawn: list[Decimal], over: list[Decimal]
) -> None:
    lines = [used(f"2026-01-{day:02}", str(amount)) for day, amount in enumerate(drawn, 1)]
    lines += [used("2026-01-31", str(amount), "overage") for amount in over]
    spent = sum(drawn + over, Decimal(0))
    for name, options in SETTINGS.items():
        rows = mapped(lines, {**MONTH, "AMOUNT": str(sum(drawn))}, options)
        assert money(rows, "EffectiveCost") == spent
        assert money(rows, "BilledCost") == (0 if name == "aws" else spent)


def mapped(lines: Iterable[Mapping[str, str]], item: Mapping[str, str], options: Mapping[str, str]) -> list[Row]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        usage = write_csv(folder / "usage.csv", [{**SNOWFLAKE, **line} for line in lines])
        items = write_csv(folder / "items.csv", [{**ITEM, **item}])
        return focus_rows([(usage, "")], folder, options=options, companions=[items])


def money(rows: Iterable[Row], column: str) -> Decimal:
    return sum((row[column] for row in rows), Decimal(0))


def test_the_native_view_leaves_its_money_to_a_marketplace_too(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, marketplace="azure")
    [run] = ledger.ingest(export(tmp_path / "view.parquet", "snowflake_1_3_view")).document["runs"]
    told = balance(run)
    assert (told["mapped"], told["snowflake-billed-by-marketplace"]) == ("0", told["raw"])
    assert told["effective"] != "0"
    parties = {tuple(row[name] for name in PARTIES) for row in table(ledger, wiring.book)}
    assert parties == {("Snowflake", "Microsoft", "Microsoft", "Snowflake")}
    assert ledger.broken_rules() == {}


def test_the_native_view_cannot_be_billed_by_purchases(ledger: Ledger, tmp_path: Path) -> None:
    configured(ledger, contract_billing="purchase")
    outcome = ledger.ingest(export(tmp_path / "view.parquet", "snowflake_1_3_view"))
    assert (outcome.code, outcome.fault["rule"]) == (2, "contract-billing")
    assert ledger.figures()["currencies"] == {}


@pytest.mark.parametrize("setting", [{"marketplace": "aws"}, {"contract_billing": "purchase"}])
def test_a_credit_that_is_billed_elsewhere_keeps_what_it_is_worth(
    setting: dict[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    configured(ledger, **setting)
    credit = used("2026-01-05", "-4", USAGE_TYPE="SUPPORT CREDIT", USAGE="0", BILLING_TYPE="SUPPORT_CREDIT")
    outcome = ledger.ingest(bill(tmp_path / "a", used("2026-01-05", "70"), credit, items=()))
    assert outcome.outcomes == ["committed"], outcome.errors
    [run] = outcome.document["runs"]
    assert (balance(run)["mapped"], balance(run)["effective"]) == ("0", "66")
    assert {(one["ours"], one["stated"]) for one in run["conformance"]["broken"]} == {(0, 1)}
