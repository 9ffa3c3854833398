"""Output profiles: one FOCUS version's columns out of the ledger's superset rows, missing prices filled by a ladder.

A price that the bill does not state stays null in the ledger. The specification's profiles forbid null beside a
SkuPriceId, so they fill it, from the first rung that can tell, and say so in x_PriceSource as `Column: rung`:

    sheet       set by a mapping that took the price from a price or rate sheet; nothing is filled here
    source      from the bill's own figures of the same kind: cost / quantity, price x quantity, or the same price
                stated in the pricing currency when that is the billing currency
    contracted  a list price or list cost that is nowhere stated is taken to be the contracted one
    effective   a contracted price or cost that is nowhere stated is taken to be the charge's own cost: EffectiveCost,
                or BilledCost where EffectiveCost is 0 or the charge is neither Usage nor Purchase

What the bill states is never altered, even where its cost contradicts its price x quantity: that is a finding. A price
stays null, a finding too, where no price could be true: no quantity, a quantity of 0 beside a cost, or a quotient below
0. A price of 0 is written only where the bill itself says that the charge costs 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from focus.data import load
from focus.schema import VERSION, Column, columns, custom_columns

FILLED = (
    "ContractedCost",
    "ContractedUnitPrice",
    "ListCost",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyListUnitPrice",
)
# Columns whose value the ladder may copy where a column is filled.
COPIED_FROM = {
    "ContractedCost": ("EffectiveCost", "BilledCost"),
    "ContractedUnitPrice": ("PricingCurrencyContractedUnitPrice",),
    "ListCost": ("ContractedCost", "EffectiveCost", "BilledCost"),
    "ListUnitPrice": ("PricingCurrencyListUnitPrice", "ContractedUnitPrice", "PricingCurrencyContractedUnitPrice"),
    "PricingCurrencyContractedUnitPrice": ("ContractedUnitPrice",),
    "PricingCurrencyListUnitPrice": ("ListUnitPrice", "ContractedUnitPrice", "PricingCurrencyContractedUnitPrice"),
}
KINDS = ("Contracted", "List")
MONEY = "DECIMAL(38, 24)"
# Beside a stated list cost of 0 for a quantity of 0 any price is true, so the contracted one is taken there too.
LIKE_CONTRACTED = "ListCost IS NULL OR (ListCost = 0 AND PricingQuantity = 0)"


@cache
def profile_columns(version: str = VERSION) -> tuple[Column, ...]:
    """The version's CostAndUsage columns in the specification's order, then the ledger's own; ValueError if unknown."""
    profile = _profile(version)
    known = columns("CostAndUsage", str(profile["columns_of"]))
    return tuple(column for column in known if column.name not in _later(profile)) + custom_columns()


def profile_sql(relation: str, version: str = VERSION, also: Sequence[str] = ()) -> str:
    """A SELECT of exactly the profile's columns over a table's name or a query of ledger rows; needs no macros.

    `also` are columns of the relation that are passed on behind them.
    """
    chosen = ", ".join([*(_output(column) for column in profile_columns(version)), *also])
    stages = [f"ledger_row AS NOT MATERIALIZED (SELECT *, {_stated()} FROM ({relation}))"]
    before = "ledger_row"
    for name, additions in _stages():
        added = ", ".join(f"{expression} AS {column}" for column, expression in additions)
        stages.append(f"{name} AS NOT MATERIALIZED (SELECT *, {added} FROM {before})")
        before = name
    return f"WITH {', '.join(stages)} SELECT {chosen} FROM {before}"


def _profile(version: str) -> dict[str, Any]:
    entries = {str(entry["version"]): dict(entry) for entry in load("profiles.json")["profiles"]}
    if version not in entries:
        raise ValueError(f"no profile of FOCUS {version}; there are {', '.join(sorted(entries))}")
    return entries[version]


def _later(profile: dict[str, Any]) -> set[str]:
    """Columns of the file that the profile's version does not have yet."""
    entries = load(f"columns-{profile['columns_of']}.json")["datasets"]["CostAndUsage"]["columns"]
    return {entry["id"] for entry in entries if entry["introduced_version"] in profile["without_introduced_in"]}


def _output(column: Column) -> str:
    value = {name: f"filled_{name}" for name in FILLED}.get(column.name, f'"{column.name}"')
    if column.name == "x_PriceSource":
        value = f"CASE WHEN {_nothing_filled()} THEN x_PriceSource ELSE concat_ws('; ', x_PriceSource, {_told()}) END"
    return f'CAST({value} AS {column.duckdb_type}) AS "{column.name}"'


def _stated() -> str:
    """The prices as stated in either currency, and the charge's own cost."""
    same = "coalesce(PricingCurrency, BillingCurrency) = BillingCurrency"
    prices = ", ".join(
        f"CASE WHEN {kind}UnitPrice IS NOT NULL THEN {kind}UnitPrice "
        f"WHEN {same} AND SkuPriceId IS NOT NULL THEN PricingCurrency{kind}UnitPrice END AS stated_{kind}"
        for kind in KINDS
    )
    effective = "ChargeCategory IN ('Usage', 'Purchase') AND EffectiveCost <> 0"
    cost = f"CASE WHEN {effective} THEN EffectiveCost ELSE BilledCost END"
    return f"{prices}, {cost} AS own_cost, {same} AS is_one_currency"


def _stages() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Each stage's columns may use those of the stages before it."""
    return (
        ("contracted_cost", (("filled_ContractedCost", _contracted_cost()),)),
        ("contracted_price", (("filled_ContractedUnitPrice", _contracted_price()),)),
        ("list_cost", (("filled_ListCost", _list_cost()),)),
        ("list_price", (("filled_ListUnitPrice", _list_price()),)),
        ("converted", tuple(_converted_amount(kind) for kind in KINDS)),
        ("pricing_currency", tuple(_in_pricing_currency(kind) for kind in KINDS)),
    )


def _contracted_cost() -> str:
    return f"""CASE
        WHEN ContractedCost IS NOT NULL THEN ContractedCost
        WHEN stated_Contracted IS NULL OR PricingQuantity IS NULL THEN own_cost
        ELSE {_product("stated_Contracted", "PricingQuantity")}
    END"""


def _contracted_price() -> str:
    return f"""CASE
        WHEN stated_Contracted IS NOT NULL THEN stated_Contracted
        WHEN SkuPriceId IS NOT NULL THEN {_price("filled_ContractedCost", "PricingQuantity")}
    END"""


def _list_cost() -> str:
    return f"""CASE
        WHEN ListCost IS NOT NULL THEN ListCost
        WHEN stated_List IS NULL OR PricingQuantity IS NULL THEN filled_ContractedCost
        ELSE {_product("stated_List", "PricingQuantity")}
    END"""


def _list_price() -> str:
    return f"""CASE
        WHEN stated_List IS NOT NULL THEN stated_List
        WHEN SkuPriceId IS NULL THEN NULL
        WHEN {LIKE_CONTRACTED} THEN filled_ContractedUnitPrice
        ELSE {_price("ListCost", "PricingQuantity")}
    END"""


def _converted_amount(kind: str) -> tuple[str, str]:
    """The price times the effective cost in the pricing currency: the bill states that cost in both currencies."""
    needed = f"PricingCurrency{kind}UnitPrice IS NULL AND SkuPriceId IS NOT NULL AND NOT is_one_currency"
    product = _product(f"filled_{kind}UnitPrice", "PricingCurrencyEffectiveCost")
    return f"converted_{kind}", f"CASE WHEN {needed} THEN {product} END"


def _in_pricing_currency(kind: str) -> tuple[str, str]:
    column = f"PricingCurrency{kind}UnitPrice"
    return f"filled_{column}", (
        f"CASE WHEN {column} IS NOT NULL THEN {column} WHEN SkuPriceId IS NULL THEN NULL "
        f"WHEN is_one_currency THEN filled_{kind}UnitPrice ELSE {_price(f'converted_{kind}', 'EffectiveCost')} END"
    )


def _price(cost: str, quantity: str) -> str:
    """Cost / quantity to the last of 24 decimals; 0 if the cost is 0; null if no price above 0 is true.

    The engine divides decimals as doubles, 16 digits at best. So the quotient is taken to 9 decimals, multiplied back
    exactly, and what is left over is divided again: its 16 digits begin where the first quotient ends.
    """
    rough = f"TRY_CAST(CAST({cost} AS DOUBLE) / CAST({quantity} AS DOUBLE) AS DECIMAL(19, 9))"
    rest = f"CAST({cost} - {_product(rough, quantity)} AS DOUBLE) / CAST({quantity} AS DOUBLE)"
    return (
        f"CASE WHEN {cost} = 0 AND {quantity} IS NOT NULL THEN 0 "
        f"WHEN {quantity} <> 0 AND ({cost} < 0) = ({quantity} < 0) "
        f"THEN nullif({rough} + CAST({rest} AS {MONEY}), 0) END"
    )


def _product(price: str, quantity: str) -> str:
    """Price x quantity: exact where 19 digits of each suffice, else to about 24 digits; null beyond what money holds.

    Otherwise both factors are cut after 9 decimals, whose product is exact, and what was cut is added as doubles.
    """
    exactly = [
        f"CASE WHEN {_keeps(short, 9)} AND {_keeps(long, 15)} THEN {_cut(short, 9)} * {_cut(long, 15)} END"
        for short, long in ((quantity, price), (price, quantity))
    ]
    cut_off = [
        f"CAST({price} - {_cut(price, 9)} AS DOUBLE) * CAST({quantity} AS DOUBLE)",
        f"CAST({_cut(price, 9)} AS DOUBLE) * CAST({quantity} - {_cut(quantity, 9)} AS DOUBLE)",
    ]
    nearly = f"TRY_CAST({_cut(price, 9)} * {_cut(quantity, 9)} AS {MONEY}) + TRY_CAST({' + '.join(cut_off)} AS {MONEY})"
    return f"TRY(coalesce({', '.join(exactly)}, {nearly}))"


def _cut(value: str, scale: int) -> str:
    return f"TRY_CAST({value} AS DECIMAL(19, {scale}))"


def _keeps(value: str, scale: int) -> str:
    return f"{_cut(value, scale)} = {value}"


def _nothing_filled() -> str:
    return " AND ".join(f"({name} IS NOT NULL OR filled_{name} IS NULL)" for name in FILLED)


def _told() -> str:
    """One `Column: rung` for each column that was filled."""
    return ", ".join(
        f"CASE WHEN {name} IS NULL AND filled_{name} IS NOT NULL THEN '{name}: ' || {rung} END"
        for name, rung in _rungs().items()
    )


def _rungs() -> dict[str, str]:
    """The rung that filled a column; a price in the pricing currency has that of the price it was made from."""
    contracted = "CASE WHEN stated_Contracted IS NULL AND ContractedCost IS NULL THEN 'effective' ELSE 'source' END"
    listed = f"CASE WHEN stated_List IS NULL AND ({LIKE_CONTRACTED}) THEN 'contracted' ELSE 'source' END"
    product = "CASE WHEN stated_{kind} IS NULL OR PricingQuantity IS NULL THEN '{rung}' ELSE 'source' END"
    return {
        "ContractedCost": product.format(kind="Contracted", rung="effective"),
        "ContractedUnitPrice": contracted,
        "ListCost": product.format(kind="List", rung="contracted"),
        "ListUnitPrice": listed,
        "PricingCurrencyContractedUnitPrice": contracted,
        "PricingCurrencyListUnitPrice": listed,
    }
