"""`ledger summary --contracts` over bills of three clouds: from the ledger's two tables, to the last digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cli
from tests.bills import Ledger, cur2
from tests.commitment_lines import PLAN, RESERVATION, RI_FEE, RI_USED, SP_FEE, SP_USED
from tests.snowflake_contract import bill, used
from tests.snowflake_views import view


def contracts(ledger: Ledger, *more: str) -> dict[str, Any]:
    return ledger._run("summary", "--contracts", *more).document


def by_kind(ledger: Ledger, *more: str) -> dict[str, dict[str, Any]]:
    return {f"{one['contract']} {one['kind']}": one for one in contracts(ledger, *more)["contracts"]}


def january(folder: Path) -> Path:
    lines = [
        used("2026-01-01", "10.25"),
        used("2026-01-02", "20.5", "free usage"),
        used("2026-01-09", "6", BILLING_TYPE="PRIORITY_SUPPORT"),
        used("2026-01-10", "83.75"),
        used("2026-01-10", "500", "OVERAGE"),
    ]
    items = [{}, {"CONTRACT_ITEM": "free usage", "AMOUNT": "20.50"}]
    return bill(folder, *lines, items=items, balances=[{"DATE": "2026-01-10", "CAPACITY_BALANCE": "200.01"}])


def test_a_contract_is_told_with_what_is_used_and_left_and_how_long_it_lasts(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(january(tmp_path / "a"))
    found = by_kind(ledger)
    assert {name: found["9 capacity"][name] for name in ("amount", "used", "left", "stated", "burn", "notes")} == {
        "amount": "300.00",
        "used": "100.00",
        "left": "200.00",
        "stated": {"day": "2026-01-10", "balance": "200.01", "difference": "-0.01"},
        "burn": {"per_day": "25.00", "days": 4, "from": "2026-01-01", "to": "2026-01-10"},
        "notes": [],
    }
    assert (found["9 capacity"]["exhausted_on"], found["9 capacity"]["unused_at_end"]) == ("2026-01-18", "0.00")
    assert (found["9 free usage"]["left"], found["9 free usage"]["exhausted_on"]) == ("0.00", "2026-01-02")
    assert contracts(ledger)["without_commitment"] == []


def test_rows_after_the_asked_day_are_left_out(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(january(tmp_path / "a"))
    found = by_kind(ledger, "--until", "2026-01-09")["9 capacity"]
    assert (found["used"], found["used_to"], found["stated"]) == ("16.25", "2026-01-09", None)


def test_it_is_the_same_whatever_is_billed(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(january(tmp_path / "a"))
    before = contracts(ledger)
    for setting in ('contract_billing = "purchase"', 'marketplace = "gcp"'):
        ledger.config.write_text(
            f'[sources.snowflake-example]\nprovider = "snowflake"\naccounts = ["EXAMPLE"]\n{setting}'
        )
        [run] = ledger.ingest(tmp_path / "a").document["runs"]
        assert (run["outcome"], run["source"]) == ("committed", "snowflake-example")
        assert contracts(ledger) == before


def test_a_split_by_warehouse_leaves_a_contract_as_it_is(ledger: Ledger, tmp_path: Path) -> None:
    folder = january(tmp_path / "a")
    ledger.ingest(folder)
    before, rows = contracts(ledger), ledger.figures()["currencies"]["USD"]["rows"]
    hours = ({"WAREHOUSE_ID": number, "CREDITS_USED_COMPUTE": credits} for number, credits in (("7", "1"), ("8", "2")))
    at = {"START_TIME": "2026-01-10 01:00:00.000 Z", "END_TIME": "2026-01-10 02:00:00.000 Z"}
    view(folder / "warehouses.csv", "snowflake_warehouses", *({**at, **hour} for hour in hours))
    asked = 'allocation = "warehouse"\ncontract_billing = "purchase"'
    ledger.config.write_text(f'[sources.snowflake-example]\nprovider = "snowflake"\naccounts = ["EXAMPLE"]\n{asked}')
    assert ledger.ingest(folder).outcomes == ["committed"]
    assert contracts(ledger) == before
    # A purchase of capacity, and a part more of each of the two lines of compute on that day.
    assert ledger.figures()["currencies"]["USD"]["rows"] == rows + 3
    assert (ledger.total(), ledger.broken_rules()) == ("800.00", {})


def test_an_amended_start_takes_the_draws_of_before_along(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(bill(tmp_path / "a", used("2026-01-24", "10")))
    moved = {"START_DATE": "2026-01-02", "AMOUNT": "50", "CONTRACT_MODIFIED_DATE": "2026-02-01"}
    ledger.ingest(bill(tmp_path / "b", used("2026-02-01", "5"), items=[moved]))
    [found] = contracts(ledger)["contracts"]
    assert (found["amount"], found["used"], found["left"]) == ("50.00", "15.00", "35.00")


def test_an_organization_may_be_given_another_name(ledger: Ledger, tmp_path: Path) -> None:
    ledger.config.write_text('[sources.snow]\nprovider = "snowflake"\naccounts = ["EXAMPLE", "EXAMPLE2"]')
    ledger.ingest(bill(tmp_path / "a", used("2026-01-24", "10")))
    name = {"ORGANIZATION_NAME": "EXAMPLE2"}
    later = bill(tmp_path / "b", used("2026-02-01", "5", **name), items=[name])
    assert ledger.ingest(later).outcomes == ["committed"]
    [found] = contracts(ledger)["contracts"]
    assert (found["amount"], found["used"], found["left"]) == ("300.00", "15.00", "285.00")


def test_the_day_of_a_purchase_is_no_day_of_use(ledger: Ledger, tmp_path: Path) -> None:
    ledger.config.write_text(
        '[sources.snow]\nprovider = "snowflake"\naccounts = ["EXAMPLE"]\ncontract_billing = "purchase"'
    )
    ledger.ingest(bill(tmp_path / "a", used("2026-01-09", "10"), used("2026-01-10", "20")))
    [found] = contracts(ledger)["contracts"]
    assert (found["used_from"], found["burn"]["per_day"], found["burn"]["days"]) == ("2026-01-09", "15.00", 2)


def test_money_without_a_known_item_is_told(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(bill(tmp_path / "a", used("2026-01-24", "0.000000000000000000000001"), items=()))
    document = contracts(ledger)
    assert document["contracts"] == []
    assert document["without_commitment"] == [
        {"contract": "9", "kind": "capacity", "currency": "USD", "used": "0.000000000000000000000001"}
    ]


def test_every_digit_that_is_applied_counts(ledger: Ledger, tmp_path: Path) -> None:
    amount = "12345678.000000000000000000000001"
    assert ledger.ingest(bill(tmp_path / "a", used("2026-01-24", amount, USAGE="1"))).code == 0
    assert contracts(ledger)["contracts"][0]["used"] == amount


def test_commitments_of_aws_tell_what_was_used_of_them(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(cur2(tmp_path / "a.parquet", RI_FEE, RI_USED, SP_FEE, SP_USED, {}))
    found = {one["contract"]: one for one in contracts(ledger)["contracts"]}
    names = ("kind", "unit", "amount", "used", "left", "exhausted_on")
    assert {name: found[RESERVATION][name] for name in names} == dict(
        zip(names, ("Reserved Instance", "Hours", "17520.00", "2.00", None, None), strict=True)
    )
    assert {name: found[PLAN][name] for name in names} == dict(
        zip(names, ("Savings Plan", "USD", "10950.00", "1.25", None, None), strict=True)
    )
    assert all("hour by hour" in one["notes"][0] for one in found.values())


def test_a_person_reads_it_as_lines(ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.ingest(january(tmp_path / "a"))
    cli.main(["summary", "--contracts", "--store", ledger.store, "--config", str(ledger.config)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:6] == [
        "contract 9, capacity, 2026-01-01 to 2026-03-31",
        "  of 300.00 USD 100.00 used from 2026-01-01 to 2026-01-10, 200.00 left",
        "  the provider says that 200.01 USD was left after 2026-01-10 (the ledger's figure less that: -0.01)",
        "  25.00 USD a day over 4 days with data, 2026-01-01 to 2026-01-10",
        "  used up on 2026-01-18",
    ]


def test_an_empty_ledger_knows_of_no_contract(ledger: Ledger) -> None:
    assert contracts(ledger)["contracts"] == []
