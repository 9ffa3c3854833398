"""Whose rows are a machine's, in the ledger's own tables: by each cloud's way of naming it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.folder import FolderStore
from focus.schema import ledger_types
from governance.machine_bill import AROUND, BESIDE, RATE, Bill, Cost, bill, document, names_of
from ledger.book import Book
from ledger.delivery import Period
from settings import load
from tests.ledger.rows import fill
from wiring.orders import machine_bills

STOPPED = date(2026, 11, 12)
INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"
WAREHOUSE = "snowflake:ACME-PROD_EU/DEV%20WH"
SCALE_SET = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/virtualMachineScaleSets/web"


def row(day: int, **told: object) -> Mapping[str, object]:
    start = datetime(2026, 11, day, tzinfo=UTC)
    span = {"ChargePeriodStart": str(start), "ChargePeriodEnd": str(start + timedelta(days=1))}
    return {"ServiceCategory": "Compute", "BilledCost": "2", "EffectiveCost": "2", **span, **told}


def billed(folder: Path, target: str, *rows: Mapping[str, object], source: str = "mine") -> Bill:
    store = FolderStore(folder / "store")
    fill(Book(store, ledger_types()), folder, *rows, source=source, period=Period(2026, 11))
    (folder / "ledger.toml").write_text("")
    found = load(folder / "ledger.toml", {"LEDGER_STORE": store.url})
    return machine_bills([(target, Bill(STOPPED))], found, {})[0]


def test_an_instance_is_known_by_its_id_within_its_account(tmp_path: Path) -> None:
    mine = {"ResourceId": "i-0abc", "SubAccountId": "123456789012"}
    found = billed(
        tmp_path,
        INSTANCE,
        row(10, **mine),
        row(10, **mine, ServiceCategory="Networking", EffectiveCost="0.5"),
        row(10, ResourceId="i-0abc", SubAccountId="999999999999"),
        row(10, ResourceId="vol-1", SubAccountId="123456789012"),
        row(11, ResourceId=INSTANCE, SubAccountId="123456789012"),
    )
    assert [(one.day.day, one.part, one.effective) for one in found.costs] == [
        (10, "Compute", Decimal(2)), (10, "Networking", Decimal("0.5")), (11, "Compute", Decimal(2))
    ]  # fmt: skip


def test_a_warehouse_is_known_by_its_share_of_a_splitmachine_bill(tmp_path: Path) -> None:
    share = {"SubAccountName": "PROD_EU", "AllocatedResourceName": "DEV WH", "ResourceId": None}
    others = {**share, "SubAccountName": "OTHER"}
    found = billed(tmp_path, WAREHOUSE, row(10, **share), row(10, **others), row(10, SubAccountName="PROD_EU"))
    assert [(one.part, one.effective) for one in found.costs] == [("Compute", Decimal(2))]


def test_a_scale_set_is_known_by_its_id_without_case(tmp_path: Path) -> None:
    found = billed(tmp_path, SCALE_SET, row(10, ResourceId=SCALE_SET.upper(), SubAccountId="s"))
    assert [one.effective for one in found.costs] == [Decimal(2)]


def test_days_of_other_sources_are_no_cost_data_of_this_machine(tmp_path: Path) -> None:
    account = {"SubAccountId": "123456789012"}
    billed(tmp_path, INSTANCE, row(19, ResourceId="x", SubAccountId="other"), source="theirs")
    found = billed(tmp_path, INSTANCE, row(10, ResourceId="i-0abc", **account), row(14, ResourceId="y", **account))
    assert found.known == {date(2026, 11, 10), date(2026, 11, 14)} and found.watermark == date(2026, 11, 14)


def test_the_last_day_that_is_told_is_whole_when_later_ones_have_data(tmp_path: Path) -> None:
    mine = {"ResourceId": "i-0abc", "SubAccountId": "123456789012"}
    found = billed(tmp_path, INSTANCE, row(19, **mine), row(21, **mine))
    assert found.watermark == date(2026, 11, 21) and found.delivered
    assert found.average("Compute", "USD", after=True) == Decimal(2)


def test_a_machine_that_was_never_billed_waits_for_the_data_of_its_account(tmp_path: Path) -> None:
    found = billed(tmp_path, INSTANCE, row(14, ResourceId="y", SubAccountId="123456789012"))
    assert not found.costs and found.known == {date(2026, 11, 14)}


def test_a_ledger_that_was_never_written_knows_nothing(tmp_path: Path) -> None:
    (tmp_path / "ledger.toml").write_text("")
    found = load(tmp_path / "ledger.toml", {"LEDGER_STORE": str(tmp_path / "none")})
    assert machine_bills([(INSTANCE, Bill(STOPPED))], found, {})[0].known == frozenset()


def test_the_stop_over_the_end_of_a_month_reads_both(tmp_path: Path) -> None:
    store, may = FolderStore(tmp_path / "store"), {"ResourceId": "i-0abc", "SubAccountId": "123456789012"}
    book = Book(store, ledger_types())
    fill(book, tmp_path, row(28, **may), period=Period(2026, 11))
    later = {"ChargePeriodStart": "2026-12-03 00:00:00+00", "ChargePeriodEnd": "2026-12-04 00:00:00+00"}
    fill(book, tmp_path, {**row(1, **may), **later}, period=Period(2026, 12))
    (tmp_path / "ledger.toml").write_text("")
    found = load(tmp_path / "ledger.toml", {"LEDGER_STORE": store.url})
    (told,) = machine_bills([(INSTANCE, Bill(date(2026, 12, 1)))], found, {})
    assert [one.day for one in told.costs] == [date(2026, 11, 28), date(2026, 12, 3)]


@pytest.mark.parametrize("target", ["", "x", "/subscriptions/", "arn:", "snowflake:"])
def test_an_id_of_no_cloud_names_nothing_else(tmp_path: Path, target: str) -> None:
    assert names_of(target)["id"] == target.lower()
    assert billed(tmp_path, target, row(10, ResourceId="i-0abc"), row(10)).costs == []


AMOUNTS = st.decimals(-1000, 1000, places=6)
COSTS = st.lists(st.tuples(st.integers(-AROUND, AROUND), st.sampled_from(["EUR", "USD"]), AMOUNTS), max_size=30)


@given(COSTS, st.sets(st.integers(-AROUND, AROUND)))
def test_averages_are_of_one_currency_over_whole_days_with_data(
    costs: list[tuple[int, str, Decimal]], known: set[int]
) -> None:
    day = {step: STOPPED + timedelta(days=step) for step in range(-AROUND, AROUND + 1)}
    rows = [(day[step], "Compute", "", currency, amount, amount) for step, currency, amount in costs]
    found = bill("x", Bill(STOPPED), rows, [(day[step],) for step in known])
    whole = known - {max(known, default=99)}
    for currency in {currency for _, currency, _ in costs}:
        for after, side in ((False, [s for s in whole if s < 0]), (True, [s for s in whole if s > 0])):
            average = found.average("Compute", currency, after=after)
            total = sum((a for s, c, a in costs if c == currency and s in side), Decimal(0))
            assert average == ((total / len(side)).quantize(RATE) if side else None)
    assert sum((one.effective for one in found.costs), Decimal(0)) == sum((a for _, _, a in costs), Decimal(0))


def test_the_document_has_decimal_texts_and_no_float() -> None:
    cost = Cost(STOPPED - timedelta(days=2), BESIDE, "EUR", Decimal("0.030000"), Decimal("1E+2"))
    found = Bill(STOPPED, [cost], frozenset({cost.day, STOPPED}))
    told = document(found, {})
    assert told["days"] == [
        {"day": "2026-11-10", "part": BESIDE, "currency": "EUR", "effective": "0.03", "billed": "100"}
    ]
    assert told["a_day"] == [{"part": BESIDE, "currency": "EUR", "before": "0.03", "after": None}]
