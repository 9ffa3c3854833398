"""Hours of reservations as a ReservationDetails export counts them, against what the ledger holds as unused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ingest.identities import LINES, Exempt, Identity, Line
from ingest.mapping import literal
from ingest.shapes import Shape
from ledger.reconcile import total

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE = "azure_reservation_details"
NAME = "used + unused hours = reserved hours"
ROUNDED = Decimal("0.01")  # hours of a day by which the details of many machines may differ for rounding
UNCOUNTED = "the bill does not count it by the hour, or does not name it"
UNTOLD = "the reservation details do not tell of it"
CONSEQUENCE = "the bill's unused hours are not those that the reservation details leave unused"


def hours(shape: Shape, connection: DuckDBPyConnection, files: str) -> list[Identity]:
    """The identity over the parts just written; none where no details stand beside the bill."""
    if TABLE not in shape.companions or not connection.execute(f"SELECT 1 FROM {TABLE} LIMIT 1").fetchall():
        return []
    rows = connection.execute(hours_sql(files)).fetchall()
    return [judged(rows)]


def hours_sql(files: str) -> str:
    """(id, is counted, days compared, used, unused, reserved) per reservation of the bill or of the details.

    The last day of a month to date is left out: neither may be whole.
    """
    return f"""WITH line AS (
        SELECT regexp_extract(CommitmentDiscountId, '[^/]*$') AS reservation, CommitmentDiscountId AS id,
            CAST(ChargePeriodStart AS DATE) AS day, CommitmentDiscountUnit = 'Hours' AS is_hourly,
            CASE WHEN CommitmentDiscountStatus = 'Unused' THEN CommitmentDiscountQuantity ELSE 0 END AS unused
        FROM read_parquet({literal(files)})
        WHERE CommitmentDiscountType = 'Reservation' AND CommitmentDiscountStatus IS NOT NULL
    ),
    bill AS (
        SELECT reservation, max(id) AS id, bool_and(coalesce(is_hourly, false)) AS is_hourly FROM line GROUP BY ALL
    ),
    unused AS (SELECT reservation, day, sum(unused) AS unused FROM line GROUP BY ALL),
    detail AS (
        SELECT d.*, u.unused FROM {TABLE} AS d LEFT JOIN unused AS u USING (reservation, day)
        WHERE d.day = last_day(d.day)
            OR d.day < (SELECT CAST(max(ChargePeriodStart) AS DATE) FROM read_parquet({literal(files)}))
    )
    SELECT coalesce(any_value(b.id), reservation), coalesce(any_value(b.is_hourly), false), count(d.day),
        coalesce(sum(d.used), 0), coalesce(sum(d.unused), 0), coalesce(sum(d.reserved), 0)
    FROM detail AS d FULL JOIN bill AS b USING (reservation) GROUP BY reservation ORDER BY 1"""


def judged(rows: Sequence[tuple[Any, ...]]) -> Identity:
    """Of the rows of `hours_sql`."""
    told = [
        (id, days, used, unused, reserved) for id, counted, days, used, unused, reserved in rows if counted and days
    ]
    lines = [Line(id, total((used, unused)), reserved, days * ROUNDED) for id, days, used, unused, reserved in told]
    ordered = sorted(lines, key=lambda line: (line.holds, line.key))
    return Identity(
        name=NAME,
        currency="Hours",
        per="reservation",
        left=total(line.left for line in lines),
        right=total(line.right for line in lines),
        tolerance=total(line.tolerance for line in lines),
        groups=len(lines),
        broken=sum(not line.holds for line in lines),
        figures={"used": total(one[2] for one in told), "unused": total(one[3] for one in told)},
        lines=tuple(ordered[:LINES]),
        exceptions=(*_exempt(UNCOUNTED, [r for r in rows if r[2] and not r[1]]), *_exempt(UNTOLD, _untold(rows))),
        consequence=CONSEQUENCE,
    )


def _untold(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row for row in rows if row[1] and not row[2]]


def _exempt(reason: str, rows: Sequence[tuple[Any, ...]]) -> list[Exempt]:
    shown = tuple(str(row[0]) for row in rows[:3])
    return [Exempt(reason, len(rows), total(row[5] for row in rows), shown)] if rows else []
