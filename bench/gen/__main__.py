"""`python -m bench.gen samples [FOLDER]` rewrites the samples.

`python -m bench.gen cur2 FOLDER [ROWS] [ROW_GROUP]` makes a big bill; `cur_legacy` makes one file of a legacy report,
`azure_cost_details FOLDER [ROWS]` a pair of Azure's cost reports, `snowflake_views FOLDER ROWS` Snowflake's views.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import duckdb

from bench.gen import aws, azure, azure_cost_details, cur2, cur_legacy, snowflake, snowflake_views

SAMPLES = Path(__file__).parents[2] / "samples"


def write_samples(folder: Path = SAMPLES) -> list[Path]:
    """All sample files below `folder`; the same content every time."""
    return [
        _parquet(folder / "aws/data/BILLING_PERIOD=2026-01/ledger-demo-00001.snappy.parquet", aws.select()),
        # Cost exports of Azure begin with a byte order mark.
        _csv(folder / "azure/actual_2026-01.csv", azure.actual(), "utf-8-sig"),
        _csv(folder / "azure/amortized_2026-01.csv", azure.amortized(), "utf-8-sig"),
        _csv(folder / "snowflake/usage_in_currency_daily_2026-01.csv", snowflake.daily(), "utf-8"),
    ]


def _parquet(path: Path, select: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION snappy)")
    return path


def _csv(path: Path, rows: list[list[str]], encoding: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


def main(arguments: list[str]) -> int:
    match arguments:
        case ["samples"]:
            written = write_samples()
        case ["samples", folder]:
            written = write_samples(Path(folder))
        case ["cur2", folder, *numbers]:
            written = cur2.write(Path(folder), *map(int, numbers))
        case ["cur_legacy", folder, *numbers]:
            written = [cur_legacy.write(Path(folder), *map(int, numbers))]
        case ["azure_cost_details", folder, *numbers]:
            written = azure_cost_details.write(Path(folder), *map(int, numbers))
        case ["snowflake_views", folder, rows]:
            written = list(snowflake_views.write(Path(folder), snowflake_views.Month(int(rows))).values())
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    print(*written, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
