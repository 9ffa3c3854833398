"""An export called `main` in a bucket of the stand-in for AWS, and a ledger that takes it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.bills import Ledger, cur2
from tests.servers.moto import Moto
from tests.servers.s3_exports import write_export

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Export:
    """An export called `main` in a bucket of its own, and the ledger that takes it in."""

    moto: Moto
    bucket: str
    folder: Path
    ledger: Ledger

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/bills"

    def chunk(self, *costs: float, **fields: Any) -> Path:
        """CUR 2.0 rows that differ by their resource."""
        path = self.folder / f"chunk-{'-'.join(map(str, costs))}-{len(fields)}.parquet"
        lines = [_line(number, cost, fields) for number, cost in enumerate(costs)]
        return cur2(path, *lines)

    def deliver(
        self, *chunks: Path | bytes, period: str = "2026-01", name: str = "main", prefix: str = "bills", **options: Any
    ) -> None:
        known = {"columns": columns_of(chunks), **options}
        write_export(self.moto.client("s3"), self.bucket, prefix, name, period, chunks, **known)

    def put(self, number: int, body: bytes, period: str = "2026-01") -> None:
        """One chunk written by itself, as when the next delivery is under way."""
        key = f"bills/main/data/BILLING_PERIOD={period}/main-{number:05d}.snappy.parquet"
        self.moto.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)


def _line(number: int, cost: float, fields: Line) -> Line:
    return {"line_item_resource_id": f"i-{cost}-{number}", "line_item_unblended_cost": cost, **fields}


def columns_of(chunks: Sequence[Path | bytes]) -> list[str]:
    path = next((chunk for chunk in chunks if isinstance(chunk, Path) and chunk.suffix == ".parquet"), None)
    found = duckdb.execute(f"DESCRIBE FROM '{path}'").fetchall() if path else []
    return [str(row[0]) for row in found]


@pytest.fixture
def export(moto: Moto, bucket: str, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    for name, value in moto.env.items():
        monkeypatch.setenv(name, value)
    return Export(moto, bucket, tmp_path, ledger)
