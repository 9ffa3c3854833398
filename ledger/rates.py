"""What a resource costs an hour by its newest rows. Pure: renders SQL, and reckons with its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Rate:
    """Effective cost per hour of use, on the newest day that has any."""

    per_hour: Decimal
    currency: str
    day: date


def rates_sql(relation: str) -> str:
    """Cost and hours of each meter of the resources (a parameter: lower-case ids) on the newest day of each.

    Rows that are not counted in hours say nothing of a price per hour. Quotients are left to the reader: DuckDB would
    make doubles of them.
    """
    return f"""
        WITH used AS (
            SELECT lower(ResourceId) AS id, BillingCurrency AS currency, coalesce(SkuMeter, SkuId, '') AS meter,
                epoch_ms(ChargePeriodStart) // 86400000 AS day, EffectiveCost AS cost, ConsumedQuantity AS hours
            FROM ({relation})
            WHERE list_contains(?, lower(ResourceId)) AND ChargeCategory = 'Usage'
                AND lower(ConsumedUnit) IN ('hour', 'hours', 'hrs') AND EffectiveCost IS NOT NULL
        ), newest AS (SELECT *, max(day) OVER (PARTITION BY id) AS last FROM used)
        SELECT id, currency, meter, CAST(last AS BIGINT), sum(cost), sum(hours)
        FROM newest WHERE day = last GROUP BY ALL HAVING sum(hours) > 0 ORDER BY ALL
    """


def rates(rows: Iterable[Sequence[Any]]) -> Mapping[str, Rate]:
    """By resource; one that is billed in two currencies on a day has no one price, and is left out."""
    found: dict[str, Rate | None] = {}
    for id, currency, _, day, cost, hours in rows:
        before, price = found.get(id), cost / hours
        if id in found and (before is None or before.currency != currency):
            found[id] = None
        else:
            sum_so_far = before.per_hour if before else Decimal(0)
            found[id] = Rate(sum_so_far + price, currency, date.fromordinal(date(1970, 1, 1).toordinal() + day))
    return {id: rate for id, rate in found.items() if rate is not None}
