"""The output profile keeps what a bill states, fills what the specification wants filled, and says how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from focus.profile import FILLED, profile_columns, profile_sql
from focus.schema import columns, custom_columns, ledger_types

D = Decimal
Row = Mapping[str, Any]
UNIT = Decimal(1).scaleb(-24)
CHARGE: Row = {
    "ChargeCategory": "Usage",
    "BillingCurrency": "USD",
    "PricingCurrency": "USD",
    "SkuPriceId": "sku-1",
    "PricingQuantity": D(3),
    "BilledCost": D(10),
    "EffectiveCost": D(10),
    "PricingCurrencyEffectiveCost": D(10),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A plain connection: the profile brings no macros and needs no session settings."""
    with duckdb.connect() as opened:
        opened.execute(f"CREATE TABLE ledger ({', '.join(f'{name} {kind}' for name, kind in ledger_types())})")
        yield opened


def profiled(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], version: str = "1.3") -> list[Row]:
    connection.execute("DELETE FROM ledger")
    for row in rows:
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO ledger ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    cursor = connection.execute(profile_sql("ledger", version))
    found = [column[0] for column in cursor.description or ()]
    return [dict(zip(found, row, strict=True)) for row in cursor.fetchall()]


def charge(connection: duckdb.DuckDBPyConnection, **stated: object) -> Row:
    [row] = profiled(connection, [{**CHARGE, **stated}])
    return row


def prices(row: Row) -> tuple[Any, ...]:
    """(list price, list cost, contracted price, contracted cost)."""
    return tuple(row[name] for name in ("ListUnitPrice", "ListCost", "ContractedUnitPrice", "ContractedCost"))


def rungs(row: Row) -> dict[str, str]:
    entries = (row["x_PriceSource"] or "").split("; ")
    return dict(entry.split(": ") for entry in entries if entry)


def test_version_1_3_is_the_whole_column_index_and_ours() -> None:
    assert profile_columns() == columns() + custom_columns()


def test_version_1_2_is_1_3_without_what_1_3_introduced() -> None:
    known = {column.name for column in columns()}
    assert known - {column.name for column in profile_columns("1.2")} == {
        "AllocatedMethodId",
        "AllocatedMethodDetails",
        "AllocatedResourceId",
        "AllocatedResourceName",
        "AllocatedTags",
        "ContractApplied",
        "HostProviderName",
        "ServiceProviderName",
    }


def test_an_unknown_version_is_told() -> None:
    with pytest.raises(ValueError, match=r"no profile of FOCUS 0\.9; there are 1\.2, 1\.3"):
        profile_columns("0.9")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_select_gives_exactly_the_columns_in_their_types(
    connection: duckdb.DuckDBPyConnection, version: str
) -> None:
    described = connection.execute(f"DESCRIBE {profile_sql('SELECT * FROM ledger', version)}").fetchall()
    expected = [(column.name, column.duckdb_type) for column in profile_columns(version)]
    assert [(name, kind) for name, kind, *_ in described] == expected


def test_a_price_that_is_stated_stays_and_nothing_is_told(connection: duckdb.DuckDBPyConnection) -> None:
    stated = {name: D(n + 1) for n, name in enumerate(FILLED)}
    row = charge(connection, **stated)
    assert {name: row[name] for name in FILLED} == stated
    assert row["x_PriceSource"] is None


def test_a_list_price_nowhere_stated_is_the_contracted_one(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ContractedUnitPrice=D(4), ContractedCost=D(12))
    assert prices(row) == (4, 12, 4, 12)
    assert rungs(row) == {
        "ListCost": "contracted",
        "ListUnitPrice": "contracted",
        "PricingCurrencyContractedUnitPrice": "source",
        "PricingCurrencyListUnitPrice": "contracted",
    }


def test_a_price_is_taken_from_the_bill_s_own_cost_of_its_kind(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ContractedUnitPrice=D(4), ContractedCost=D(12), ListCost=D(15))
    assert prices(row) == (5, 15, 4, 12)
    assert rungs(row)["ListUnitPrice"] == "source"


def test_a_cost_is_taken_from_the_bill_s_own_price(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ContractedUnitPrice=D("0.1"), ListUnitPrice=D("0.2"), PricingQuantity=D("0.3"))
    assert prices(row) == (D("0.2"), D("0.06"), D("0.1"), D("0.03"))
    assert (rungs(row)["ListCost"], rungs(row)["ContractedCost"]) == ("source", "source")


def test_the_last_rung_is_the_charge_s_own_cost(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, EffectiveCost=D(6))
    assert prices(row) == (2, 6, 2, 6)
    assert rungs(row)["ContractedUnitPrice"] == "effective"
    assert rungs(row)["ListUnitPrice"] == "contracted"


def test_a_prepaid_purchase_is_priced_by_what_was_billed(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ChargeCategory="Purchase", EffectiveCost=D(0), BilledCost=D(6))
    assert prices(row) == (2, 6, 2, 6)


def test_a_quotient_that_never_ends_is_exact_to_the_last_digit(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ContractedCost=D(10), ListCost=D("1000000.0000000001"), PricingQuantity=D(7))
    assert row["ContractedUnitPrice"] == D("1.428571428571428571428571")
    assert row["ListUnitPrice"] == D("142857.142857142871428571428571")


def test_a_price_stated_in_the_pricing_currency_alone_serves_when_it_is_the_billing_currency(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    row = charge(connection, PricingCurrencyListUnitPrice=D(9), PricingCurrencyContractedUnitPrice=D(8))
    assert prices(row) == (9, 27, 8, 24)
    assert set(rungs(row).values()) == {"source"}


def test_another_pricing_currency_takes_the_rate_of_the_effective_cost(connection: duckdb.DuckDBPyConnection) -> None:
    own = {"ContractedUnitPrice": D(4), "ContractedCost": D(12), "ListUnitPrice": D(5), "ListCost": D(15)}
    row = charge(connection, PricingCurrency="EUR", PricingCurrencyEffectiveCost=D(8), **own)
    assert row["PricingCurrencyContractedUnitPrice"] == D("3.2")
    assert row["PricingCurrencyListUnitPrice"] == D(4)


def test_without_a_sku_price_no_price_is_filled_but_the_costs_are(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ChargeCategory="Credit", SkuPriceId=None, PricingQuantity=None, EffectiveCost=D(0))
    assert prices(row) == (None, 10, None, 10)
    assert rungs(row) == {"ContractedCost": "effective", "ListCost": "contracted"}


@pytest.mark.parametrize(
    "contradiction",
    [
        {"PricingQuantity": D(0)},
        {"PricingQuantity": None},
        {"PricingQuantity": D(-3)},
        {"PricingQuantity": D(3), "EffectiveCost": D(-10), "BilledCost": D(-10)},
    ],
)
def test_no_price_is_made_up_where_none_can_be_true(
    connection: duckdb.DuckDBPyConnection, contradiction: Mapping[str, Any]
) -> None:
    row = charge(connection, **contradiction)
    assert prices(row) == (None, row["BilledCost"], None, row["BilledCost"])
    assert set(rungs(row)) == {"ContractedCost", "ListCost"}


def test_a_charge_that_costs_nothing_has_a_price_of_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, BilledCost=D(0), EffectiveCost=D(0))
    assert prices(row) == (0, 0, 0, 0)
    assert rungs(row)["ContractedUnitPrice"] == "effective"


def test_any_price_fits_a_quantity_of_zero_so_the_contracted_one_is_taken(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    nothing = {"PricingQuantity": D(0), "BilledCost": D(0), "EffectiveCost": D(0)}
    row = charge(connection, ContractedUnitPrice=D(4), ContractedCost=D(0), ListCost=D(0), **nothing)
    assert prices(row) == (4, 0, 4, 0)
    assert rungs(row)["ListUnitPrice"] == "contracted"


def test_a_price_too_small_for_24_decimals_is_not_called_zero(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ContractedCost=UNIT, PricingQuantity=D(100))
    assert row["ContractedUnitPrice"] is None


def test_a_cost_beyond_what_money_holds_is_not_made_up(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ListUnitPrice=D(10) ** 8, PricingQuantity=D(10) ** 8)
    assert (row["ListUnitPrice"], row["ListCost"]) == (D(10) ** 8, None)


def test_a_contradiction_of_the_bill_is_kept(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ContractedUnitPrice=D(4), ContractedCost=D(99), ListUnitPrice=D(0), ListCost=D(50))
    assert prices(row) == (0, 50, 4, 99)


def test_what_a_mapping_said_of_its_prices_stays(connection: duckdb.DuckDBPyConnection) -> None:
    row = charge(connection, ListUnitPrice=D(4), x_PriceSource="ListUnitPrice: sheet")
    assert rungs(row)["ListUnitPrice"] == "sheet"
    assert rungs(row)["ContractedCost"] == "effective"


def amounts(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(-(10**digits), 10**digits).flatmap(
        lambda number: st.integers(0, places).map(lambda scale: Decimal(number).scaleb(-scale))
    )


@settings(max_examples=40)
@given(price=amounts(15, 15), quantity=amounts(12, 15))
@example(price=D("0.0000314322"), quantity=D(314322))
def test_a_cost_made_from_a_price_is_exact_far_beyond_a_bill_s_last_digit(
    connection: duckdb.DuckDBPyConnection, price: Decimal, quantity: Decimal
) -> None:
    row = charge(connection, ListUnitPrice=abs(price).scaleb(-6), PricingQuantity=quantity.scaleb(-3))
    with localcontext(prec=80):
        product = row["ListUnitPrice"] * row["PricingQuantity"]
        cut = row["ListUnitPrice"].quantize(D("1e-9")) * row["PricingQuantity"].quantize(D("1e-9"))
        # What nine decimals cut off is multiplied in floating point, whose digits are 16 or so.
        assert abs(product - row["ListCost"]) <= max(abs(product), 1) * D("1e-24") + abs(product - cut) * D("1e-15")


COSTS = st.one_of(st.just(D(0)), amounts(6, 12))
CHARGES = st.fixed_dictionaries(
    {
        "ChargeCategory": st.sampled_from(["Usage", "Purchase", "Tax", "Credit", "Adjustment"]),
        "BillingCurrency": st.just("USD"),
        "PricingCurrency": st.sampled_from(["USD", "EUR", None]),
        "SkuPriceId": st.sampled_from(["sku-1", None]),
        "PricingQuantity": st.none() | COSTS,
        "BilledCost": COSTS,
        "EffectiveCost": COSTS,
        "PricingCurrencyEffectiveCost": COSTS,
        **dict.fromkeys(("ListCost", "ContractedCost"), st.none() | COSTS),
        **dict.fromkeys([name for name in FILLED if name.endswith("Price")], st.none() | COSTS.map(abs)),
    }
)


@settings(max_examples=40)
@given(st.lists(CHARGES, min_size=1, max_size=8))
def test_the_ladder_keeps_what_is_stated_and_fills_nothing_untrue(
    connection: duckdb.DuckDBPyConnection, charges: list[Row]
) -> None:
    numbered = [{**entry, "ChargeDescription": str(number)} for number, entry in enumerate(charges)]
    rows = {int(row["ChargeDescription"]): row for row in profiled(connection, numbered)}
    assert sorted(rows) == list(range(len(charges)))
    for number, stated in enumerate(charges):
        _is_kept(stated, rows[number])
        for kind in ("List", "Contracted"):
            _is_true(kind, stated, rows[number])


def _is_kept(stated: Row, row: Row) -> None:
    assert all(row[name] == value for name, value in stated.items() if value is not None)
    filled = {name for name in FILLED if stated[name] is None and row[name] is not None}
    assert set(rungs(row)) == filled
    assert None not in (row["ListCost"], row["ContractedCost"])
    assert stated["SkuPriceId"] or not any(name.endswith("Price") for name in filled)


def _is_true(kind: str, stated: Row, row: Row) -> None:
    """A filled price is above 0 or beside a cost of 0, and price x quantity is the cost as far as 24 decimals carry."""
    if any(stated[name] is not None for name in (f"{kind}UnitPrice", f"PricingCurrency{kind}UnitPrice")):
        return
    price, cost, quantity = row[f"{kind}UnitPrice"], row[f"{kind}Cost"], row["PricingQuantity"]
    if price is None or (kind == "List" and price == row["ContractedUnitPrice"]):
        return
    assert price > 0 or cost == 0
    with localcontext(prec=80):
        assert abs(price * quantity - cost) <= abs(quantity) * UNIT
