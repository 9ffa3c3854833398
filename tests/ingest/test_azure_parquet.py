"""Cost details as Parquet: whatever types an export gives its columns, the rows are those of the text."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.azure_bills import MADE, files_of
from tests.mapped import focus_rows

TYPES = {
    "quantity": "DOUBLE",
    "effectivePrice": "DOUBLE",
    "costInBillingCurrency": "DOUBLE",
    "costInPricingCurrency": "DOUBLE",
    "PayGPrice": "DOUBLE",
    "date": "TIMESTAMP",
    "billingPeriodStartDate": "DATE",
    "isAzureCreditEligible": "BOOLEAN",
}


def as_parquet(file: Path) -> Path:
    """The same rows, some columns as numbers and days."""
    with duckdb.connect() as connection:
        header = connection.execute(f"DESCRIBE FROM read_csv('{file}', all_varchar=true)").fetchall()
        names = [str(row[0]) for row in header]
        dates = {name: f"strptime({name}, '%m/%d/%Y')" for name in ("date", "billingPeriodStartDate")}
        chosen = ", ".join(
            f'CAST({dates.get(n, f"{chr(34)}{n}{chr(34)}")} AS {TYPES.get(n, "VARCHAR")}) AS "{n}"' for n in names
        )
        target = file.with_suffix(".parquet")
        connection.execute(f"COPY (SELECT {chosen} FROM read_csv('{file}', all_varchar=true)) TO '{target}'")
    return target


@pytest.mark.parametrize("agreement", [name for name in MADE if name != "payg"])
def test_parquet_gives_the_rows_of_the_text(agreement: str, tmp_path: Path) -> None:
    files = files_of(agreement, tmp_path)
    texts = focus_rows(files, tmp_path)
    packed = focus_rows([(as_parquet(file), role) for file, role in files], tmp_path)
    assert sorted(map(str, packed)) == sorted(map(str, texts))
