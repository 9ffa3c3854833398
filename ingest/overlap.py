"""Two files of one delivery that tell the same: copies, two runs of one export, ranges of days that overlap. Pure."""

from __future__ import annotations

from datetime import date

from ingest.mapping import quoted
from ingest.shapes import Shape
from ledger.faults import Fault

SEEN = "CREATE OR REPLACE TEMP TABLE seen (file VARCHAR, role VARCHAR, day DATE, place VARCHAR, key UBIGINT)"

# (file, file, first day, last day) where two files of one role tell mostly the same of the days that both have. Parts
# of one export share days too, but each has other rows of them.
OVERLAP = """
    WITH line AS (SELECT DISTINCT file, role, day, place, key FROM seen),
    size AS (SELECT file, role, day, place, count(*) AS rows FROM line GROUP BY ALL),
    common AS (
        SELECT a.file AS one, b.file AS other, sum(least(a.rows, b.rows)) AS smaller
        FROM size AS a JOIN size AS b
            ON a.role = b.role AND a.day IS NOT DISTINCT FROM b.day AND a.place = b.place AND a.file < b.file
        GROUP BY 1, 2
    ),
    shared AS (
        SELECT a.file AS one, b.file AS other, count(*) AS rows, min(a.day) AS first, max(a.day) AS last
        FROM line AS a JOIN line AS b
            ON a.key = b.key AND a.role = b.role AND a.day IS NOT DISTINCT FROM b.day AND a.place = b.place
            AND a.file < b.file
        GROUP BY 1, 2
    )
    SELECT one, other, first, last FROM shared JOIN common USING (one, other)
    WHERE 2 * rows > smaller ORDER BY 1, 2
"""


def seen_sql(shape: Shape, every: int) -> str:
    """Adds one row in `every` of view `raw` to table `seen`, by the columns that the mapping reads but maps.

    Where days are told apart amounts are left out: an older telling of a day has others.
    """
    told = [column for column in shape.columns if not column.type.startswith("MAP")]
    names = [quoted(column.name) for column in told if not (shape.days and column.check == "number")]
    day, place = (shape.days["day"], shape.days["place"]) if shape.days else ("CAST(NULL AS DATE)", "''")
    key = f"hash({', '.join(names)})"
    return f"""INSERT INTO seen SELECT x_RawFile, x_RawRole, {day}, coalesce({place}, ''), {key} AS key
        FROM raw WHERE key % {every} = 0"""


def overlap_fault(one: str, other: str, first: date | None, last: date | None) -> Fault:
    rule, advice = "overlapping-files", "Give the files of one delivery only; its manifest lists them."
    if not first:
        return Fault(f"{one} and {other} hold the same rows: two deliveries of one bill", advice, rule, other)
    days = f"{first}" if first == last else f"{first} to {last}"
    text = f"{one} and {other} both tell the charges of {days}: ranges of days that overlap, or one delivery twice"
    return Fault(text, "Give each day once; of a delivery in several files its manifest lists them.", rule, other)
