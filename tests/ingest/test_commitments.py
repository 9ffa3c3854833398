"""ContractCommitment rows of AWS bills: what a reservation and a plan become, merged, replaced, committed first."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import wiring
from adapters.folder import FolderStore
from focus.schema import ledger_types
from ingest import commitments
from ingest.commitments import Found, merged, row, whole_term
from ingest.intake import Request, take_in
from ingest.sources.folder import collect
from ledger.book import Book
from ledger.delivery import Period, SourceRef
from ledger.faults import Transient
from tests.bills import Ledger, cur2
from tests.commitment_lines import PLAN, RESERVATION, RI_FEE, RI_USED, SP_FEE, SP_USED
from tests.exports import export
from wiring.parts import desk


def held(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Commitments of the ledger by id."""
    book = wiring.commitments(wiring.store(ledger.store, {}))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute(book.relation_sql(book.files()))
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    return {str(found["ContractCommitmentId"]): found for found in rows}


def test_a_reservation_is_a_commitment_of_hours(ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet", RI_FEE, RI_USED)).document["runs"]
    [found] = held(ledger).values()
    assert run["commitments"] == 1
    assert found["ContractCommitmentCategory"] == "Usage"
    assert (found["ContractCommitmentQuantity"], found["ContractCommitmentUnit"]) == (2 * 8760, "Hours")
    assert found["ContractCommitmentCost"] == 500 + Decimal("0.1") * 2 * 8760
    assert found["ContractCommitmentDescription"] == "Reserved Instance: standard, 1yr, Partial Upfront"
    term = (datetime(2025, 6, 1, 10, 0, 1, tzinfo=UTC), datetime(2026, 6, 1, 10, 0, 1, tzinfo=UTC))
    assert (found["ContractCommitmentPeriodStart"], found["ContractCommitmentPeriodEnd"]) == term
    assert (found["ContractPeriodStart"], found["ContractPeriodEnd"]) == term
    assert (found["ContractCommitmentId"], found["ContractId"]) == (RESERVATION, RESERVATION)


def test_a_savings_plan_is_a_commitment_of_money(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(cur2(tmp_path / "a.parquet", SP_FEE))
    [found] = held(ledger).values()
    assert (found["ContractCommitmentCategory"], found["BillingCurrency"]) == ("Spend", "USD")
    assert found["ContractCommitmentCost"] == Decimal("1.25") * 8760
    assert (found["ContractCommitmentQuantity"], found["ContractCommitmentUnit"]) == (None, None)
    assert found["ContractCommitmentType"] == "Savings Plan"
    assert found["ContractCommitmentDescription"] == "Savings Plan: ComputeSavingsPlans, 1yr, No Upfront"


def test_commitments_that_the_bill_tells_of_break_no_rule(ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet", RI_FEE, RI_USED, SP_FEE)).document["runs"]
    assert run["conformance"]["broken"] == []
    assert ledger.broken_rules() == {}


def test_two_files_tell_of_one_commitment(ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "bill"
    folder.mkdir()
    cur2(folder / "a.parquet", RI_USED, {**SP_FEE, "savings_plan_total_commitment_to_date": 0.5})
    cur2(folder / "b.parquet", RI_FEE, {**SP_FEE, "line_item_usage_account_id": "777788889999"})
    ledger.ingest(folder)
    found = held(ledger)
    assert set(found) == {RESERVATION, PLAN}
    assert found[RESERVATION]["ContractCommitmentDescription"].endswith("Partial Upfront")
    assert found[RESERVATION]["ContractCommitmentQuantity"] == 2 * 8760
    assert found[PLAN]["ContractCommitmentCost"] == Decimal("1.25") * 8760


def test_a_restated_bill_drops_a_commitment_that_vanished(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    ledger.ingest(cur2(path, RI_FEE, SP_FEE))
    assert set(held(ledger)) == {RESERVATION, PLAN}
    ledger.ingest(cur2(path, SP_FEE))
    assert set(held(ledger)) == {PLAN}
    ledger.ingest(cur2(path, {}), "--period", "2026-01")  # another day than the fee's: this is all of the month
    assert held(ledger) == {}


def test_a_bill_without_commitments_has_no_rows_of_them(ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet")).document["runs"]
    assert (run["commitments"], held(ledger)) == (0, {})


def test_a_bill_of_a_shape_without_commitments_leaves_the_table_alone(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(export(tmp_path / "a.parquet", "aws_1_2"))
    assert wiring.commitments(wiring.store(ledger.store, {})).version() is None


def test_the_same_bill_again_is_no_new_version_of_either_table(ledger: Ledger, tmp_path: Path) -> None:
    path = cur2(tmp_path / "a.parquet", RI_FEE)
    for outcome in ("committed", "unchanged"):
        assert ledger.ingest(path).outcomes == [outcome]
    assert wiring.commitments(wiring.store(ledger.store, {})).version() == ledger.figures()["version"]


class Gone(FolderStore):
    """A store that takes commitments and then goes away."""

    def put_file(self, name: str, path: Path) -> None:
        if name.startswith("cost_and_usage/"):
            raise Transient("the storage went away")
        super().put_file(name, path)


def test_a_run_that_stopped_between_the_two_tables_is_made_good(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    ledger.ingest(cur2(path, RI_FEE, {}))
    before = ledger.figures()["currencies"]
    restated = cur2(path, SP_FEE, {"line_item_unblended_cost": 7.0})
    found = wiring.settings({"LEDGER_STORE": ledger.store}, ledger.config)
    collected, now = collect([str(restated)], wiring.opener({})), datetime(2026, 2, 1, tzinfo=UTC)
    with desk(found, {}, wiring.quiet) as hands:
        stopping = replace(hands, book=Book(Gone(ledger.store), ledger_types()))
        with pytest.raises(Transient):
            take_in(collected, Request(), stopping, now)
    assert ledger.figures()["currencies"] == before
    assert set(held(ledger)) == {PLAN}
    assert ledger.ingest(restated).outcomes == ["committed"]
    assert (ledger.total(), set(held(ledger))) == ("8.25", {PLAN})


def test_a_bill_that_comes_back_after_a_stopped_run_brings_its_commitments_back(ledger: Ledger, tmp_path: Path) -> None:
    """The cost rows are still those of the first bill, but the other table's are not."""
    path = cur2(tmp_path / "a.parquet", RI_FEE)
    [run] = ledger.ingest(path).document["runs"]
    table = wiring.commitments(wiring.store(ledger.store, {}))
    table.replace(SourceRef(run["source"], "aws"), Period(2026, 1), "e" * 64, [], "stopped")
    assert held(ledger) == {}
    assert ledger.ingest(path).outcomes == ["committed"]
    assert set(held(ledger)) == {RESERVATION}


def test_a_commitment_whose_term_the_bill_does_not_tell_is_a_finding_and_no_refusal(
    ledger: Ledger, tmp_path: Path
) -> None:
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet", RI_USED)).document["runs"]
    broken = {one["rule"]: one for one in run["conformance"]["broken"]}
    assert (broken["CCT-ContractCommitmentPeriodStart-C-003-M"]["inherited"], run["outcome"]) == (1, "committed")
    assert all(one["ours"] == 0 for one in broken.values())
    [found] = held(ledger).values()
    unknown = ("ContractCommitmentPeriodStart", "ContractCommitmentQuantity", "ContractCommitmentCost")
    assert [found[name] for name in unknown] == [None] * 3


def test_the_exchange_of_a_reservation_commits_to_nothing(ledger: Ledger, tmp_path: Path) -> None:
    exchange = {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:1:reserved-instance-exchange/riex-1"}
    ledger.ingest(cur2(tmp_path / "a.parquet", {"line_item_line_item_type": "Fee", **exchange}))
    assert held(ledger) == {}


def test_used_rows_point_to_their_commitment_and_say_how_much_of_it_they_take(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(cur2(tmp_path / "a.parquet", RI_FEE, RI_USED, SP_FEE, SP_USED, {}))
    book = wiring.book(wiring.store(ledger.store, {}))
    sql = f"SELECT x_ChargeType, ContractApplied FROM ({book.relation_sql(book.files())}) ORDER BY ALL"
    found = {name: json.loads(text) if text else None for name, text in duckdb.execute(sql).fetchall()}
    names = ("ContractId", "ContractCommitmentId", "Cost", "Quantity", "Unit")
    keys = [name if name.startswith("Contract") else f"ContractCommitmentApplied{name}" for name in names]
    expected = {
        "DiscountedUsage": (RESERVATION, RESERVATION, None, 2, "Hours"),
        "SavingsPlanCoveredUsage": (PLAN, PLAN, 1.25, None, None),
    }
    assert found == {
        **dict.fromkeys(("RIFee", "SavingsPlanRecurringFee", "Usage")),
        **{kind: {"Elements": [dict(zip(keys, values, strict=True))]} for kind, values in expected.items()},
    }
    assert ledger.broken_rules() == {}


def test_of_reservations_without_end_the_bill_is_refused(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitments, "MOST", 2)
    lines = [{**RI_FEE, "reservation_reservation_a_r_n": f"arn:{number}"} for number in range(3)]
    outcome = ledger.ingest(cur2(tmp_path / "a.parquet", *lines))
    assert (outcome.code, outcome.fault["rule"]) == (2, "commitments")
    assert held(ledger) == {}


def found(**fields: Any) -> Found:
    term = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    told = {"begins": term[0], "ends": term[1], "committed": Decimal(744), "seconds": 744 * 3600}
    whole = {"fee": Decimal("7.44"), "price": None, "upfront": Decimal(100), "paid": None, "words": ("", "", "")}
    names = {
        "id": "r",
        "contract": "r",
        "is_drawn_on": True,
        "category": "Usage",
        "type": "Reserved Instance",
        "currency": "USD",
    }
    return Found(**{**names, **told, **whole, **fields})


@pytest.mark.parametrize(
    ("fields", "hours", "money"),
    [
        ({}, 8760, Decimal("187.6")),
        ({"price": Decimal("0.01")}, 8760, Decimal("187.6")),
        ({"price": Decimal("0.02")}, 8760, Decimal("187.6")),  # a price that does not give the fee is not its price
        ({"upfront": Decimal(0)}, 8760, Decimal("87.6")),
        ({"upfront": None}, 8760, None),
        ({"fee": None}, 8760, None),
        ({"ends": None}, None, None),
        ({"committed": None}, None, None),
        ({"category": "Spend"}, None, Decimal(8760)),
        # A month that begins within an hour: rounded hours are still one unit, and the price tells the fee.
        (
            {
                "committed": Decimal("530.320278"),
                "seconds": 1909153,
                "fee": Decimal("6.257779"),
                "price": Decimal("0.0118"),
            },
            8760,
            Decimal("203.368"),
        ),
        ({"committed": Decimal("111.6")}, Decimal("1314"), None),
    ],
)
def test_the_whole_term_follows_from_a_part_of_it(
    fields: dict[str, Any], hours: Decimal | None, money: Decimal | None
) -> None:
    found_hours, found_money = whole_term(found(**fields))
    assert found_hours == hours
    assert money is None or found_money == money


def test_merging_does_not_depend_on_the_order_of_files() -> None:
    one = found(begins=None, committed=None, seconds=None, fee=None, upfront=None, words=("a", "", ""))
    other = found(ends=None, words=("", "b", ""))
    assert merged(one, other) == merged(other, one) == found(words=("a", "b", ""))


def test_a_row_says_what_it_is_even_without_a_word_about_it() -> None:
    assert row(found())["ContractCommitmentDescription"] == "Reserved Instance"


def test_the_reservations_of_a_real_month_have_whole_units_and_round_sums(ledger: Ledger, real_data: Path) -> None:
    """One of them begins within the month, at no full hour: its line shows rounded hours and a rounded fee."""
    ledger.ingest(real_data / "aws/cur_legacy_2018-10.snappy.parquet")
    terms = held(ledger).values()
    assert len(terms) == 9
    assert sum(term["ContractCommitmentQuantity"] for term in terms) == 13 * 8760
    assert sum(term["ContractCommitmentCost"] for term in terms) == Decimal("3341.172")
