"""The ledger's row is the specification's 65 columns, in its order and types, then our own."""

from __future__ import annotations

from focus.schema import columns, custom_columns, ledger_types

TYPES = {"VARCHAR", "DECIMAL(38,24)", "TIMESTAMP WITH TIME ZONE"}


def test_the_specification_comes_first_and_whole() -> None:
    names = [column.name for column in columns()]
    assert len(names) == len(set(names)) == 65
    assert [name for name, _ in ledger_types()][:65] == names
    assert not any(name.startswith("x_") for name in names)


def test_our_own_columns_carry_the_prefix() -> None:
    own = [column.name for column in custom_columns()]
    assert all(name.startswith("x_") for name in own)
    assert [name for name, _ in ledger_types()][65:] == own


def test_money_is_decimal_and_time_has_a_zone() -> None:
    kinds = dict(ledger_types())
    assert set(kinds.values()) <= TYPES
    assert {kinds[name] for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")} == {"DECIMAL(38,24)"}
    assert kinds["ChargePeriodStart"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["Tags"] == "VARCHAR"


def test_allowed_values_are_read() -> None:
    category = next(column for column in columns() if column.name == "ChargeCategory")
    assert {"Usage", "Purchase", "Tax", "Credit", "Adjustment"} == set(category.allowed_values)
    assert category.nullable == "false"
