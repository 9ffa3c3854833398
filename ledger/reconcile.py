"""Conservation of money: raw = mapped + excluded + refused per currency, checked by an independent route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TypeVar

from ledger.faults import Fault, Rejected

SCALE = 24  # fraction digits of the ledger's money type
LONG = 30  # digits whose sum over 100 million rows still fits the engine's 128-bit integer
DIGITS = 1100  # enough for any sum of amounts below 1e14 with three-digit exponents; Python's own 28 would round
Money = Mapping[str, Decimal]
Key = TypeVar("Key")  # a currency, or a currency and what else is told apart


@dataclass(frozen=True, slots=True)
class Balance:
    """One currency of a delivery. `rounded` is what more than 24 fraction digits lost, usually 0."""

    currency: str
    raw: Decimal
    mapped: Decimal
    excluded: Mapping[str, Decimal]
    refused: Mapping[str, Decimal]
    rounded: Decimal
    effective: Decimal


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum to the last digit, whatever the precision of the caller's decimal context."""
    with localcontext(prec=DIGITS):
        return sum(amounts, Decimal(0))


def raw_total_sql(cost: str, currency: str, view: str = "raw", also: str = "") -> str:
    """Sums the digits of the raw text as integers per scale, so that no decimal cast takes part.

    Rows: (currency, scale, integer total, text, count). Long or scientific texts come back one by one with a count.
    `also` is a further SQL expression to tell apart, and then the last value of each row.
    """
    more = f", {also} AS also" if also else ""
    return f"""
        WITH amount AS (SELECT {currency} AS currency, trim(CAST({cost} AS VARCHAR)) AS digits{more} FROM {view}),
        sorted AS (
            SELECT *, length(digits) > {LONG} OR contains(digits, 'e') OR contains(digits, 'E') AS single FROM amount
        )
        SELECT
            currency,
            CASE WHEN single OR NOT contains(digits, '.') THEN 0 ELSE length(digits) - strpos(digits, '.') END AS scale,
            sum(CASE WHEN single THEN 0 ELSE CAST(replace(digits, '.', '') AS HUGEINT) END) AS total,
            CASE WHEN single THEN digits END AS text,
            count(*) AS rows
            {", also" if also else ""}
        FROM sorted
        GROUP BY ALL
    """


def raw_totals(rows: Iterable[tuple[Key, int, int | None, str | None, int]]) -> dict[Key, Decimal]:
    """The exact total per currency from the rows of raw_total_sql."""
    totals: dict[Key, Decimal] = {}
    with localcontext(prec=DIGITS):
        for key, scale, digits, text, count in rows:
            part = Decimal(text) * count if text else Decimal(int(digits or 0)).scaleb(-scale)
            totals[key] = totals.get(key, Decimal(0)) + part
    return totals


def rounded_rows(rows: Iterable[tuple[object, int, int | None, str | None, int]]) -> int:
    """How many amounts carry more fraction digits than the ledger holds, from the rows of raw_total_sql."""
    return sum(count for _, scale, _, text, count in rows if (_fraction_digits(text) if text else scale) > SCALE)


def _fraction_digits(text: str) -> int:
    with localcontext(prec=DIGITS):  # normalize() would round to the caller's precision
        exponent = Decimal(text).normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def balances(
    raw: Money, rules: Mapping[tuple[str, str], Decimal], mapped: Money, effective: Money, rounded_rows: int
) -> list[Balance]:
    """One Balance per currency; `rules` holds raw totals per (currency, rule), the empty rule being what is mapped.

    Rejected when a currency does not balance: the only slack is half a unit of the 24th digit per rounded row.
    """
    with localcontext(prec=DIGITS):
        lines = [_balance(currency, raw, rules, mapped, effective) for currency in sorted({*raw, *mapped})]
        faults = [_fault(line) for line in lines if abs(line.rounded) > rounding_slack(rounded_rows)]
    if faults:
        raise Rejected(faults)
    return lines


def rounding_slack(rows: int) -> Decimal:
    """What rounding that many amounts can move a total by: half a unit of the last digit each."""
    return Decimal(rows) * Decimal(5).scaleb(-SCALE - 1)


def _balance(
    currency: str, raw: Money, rules: Mapping[tuple[str, str], Decimal], mapped: Money, effective: Money
) -> Balance:
    excluded = {rule: total for (code, rule), total in sorted(rules.items()) if code == currency and rule}
    here = mapped.get(currency, Decimal(0))
    there = raw.get(currency, Decimal(0))
    rest = there - here - sum(excluded.values(), Decimal(0))
    return Balance(currency, there, here, excluded, {}, rest, effective.get(currency, Decimal(0)))


def _fault(line: Balance) -> Fault:
    named = ", ".join(f"{rule} {total:f}" for rule, total in line.excluded.items()) or "nothing"
    return Fault(
        f"{line.currency} does not balance: raw {line.raw:f}, mapped {line.mapped:f}, excluded {named}, "
        f"left over {line.rounded:f}",
        "Nothing was committed; the mapping of this file is at fault, please report it with the file's shape.",
        "conservation",
    )
