"""Runs of Cost Management exports as Azure lays them out in a container: part files first, the manifest last."""

from __future__ import annotations

import csv
import gzip
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import duckdb
from azure.storage.blob import ContainerClient

from ledger.delivery import Period

PARQUET, GZIP = b"PAR1", b"\x1f\x8b"
SCOPE = "/providers/Microsoft.Billing/billingAccounts/70000042"


def write_run(
    container: ContainerClient,
    root: str,
    export: str,
    kind: str,
    period: str,
    chunks: Sequence[Path | bytes],
    *,
    create_new: bool = False,
    scope: str = SCOPE,
    submitted: datetime | None = None,
    named_with_container: bool = False,
    manifest: str = "manifest.json",
    **changes: Any,
) -> str:
    """One run, over the last one or with `create_new` in a folder of its own; the name of its manifest.

    A run that overwrites leaves the parts of a longer one behind. `changes` replace fields of the manifest.
    """
    month = Period.parse(period)
    days = f"{month.start:%Y%m%d}-{month.end - timedelta(days=1):%Y%m%d}"
    run = uuid.uuid4() if create_new else uuid.uuid5(uuid.NAMESPACE_URL, export)
    folder = f"{root}/{export}/{days}/{f'{datetime.now(UTC):%Y%m%d%H%M}/' if create_new else ''}{run}/".lstrip("/")
    bodies = [chunk if isinstance(chunk, bytes) else chunk.read_bytes() for chunk in chunks]
    names = [f"{folder}part_0_{number:04d}{_suffix(body)}" for number, body in enumerate(bodies, 1)]
    for name, body in zip(names, bodies, strict=True):
        container.upload_blob(name, body, overwrite=True)
    outer = f"{container.container_name}/" if named_with_container else ""
    blobs = [
        {"blobName": f"{outer}{name}", "byteCount": len(body), "dataRowCount": rows_in(body), "headerRowCount": 1}
        for name, body in zip(names, bodies, strict=True)
    ]
    content = {
        "manifestVersion": "2024-04-01",
        "byteCount": sum(len(body) for body in bodies),
        "blobCount": len(blobs),
        "dataRowCount": sum(rows_in(body) for body in bodies),
        "exportConfig": {
            "exportName": export,
            "resourceId": f"{scope}/providers/Microsoft.CostManagement/exports/{export}",
            "dataVersion": "2023-05-01",
            "type": kind,
        },
        "runInfo": {
            "executionType": "Scheduled",
            "submittedTime": f"{submitted or datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z",
            "runId": str(run),
            "startDate": f"{month.start:%Y-%m-%dT00:00:00}",
            "endDate": f"{month.end - timedelta(days=1):%Y-%m-%dT00:00:00}",
        },
        "blobs": blobs,
        **changes,
    }
    container.upload_blob(f"{folder}{manifest}", json.dumps(content, indent=2), overwrite=True)
    return f"{folder}{manifest}"


def rows_in(body: bytes) -> int:
    """Rows of data; none of what is neither CSV nor Parquet, as in tests that read no files."""
    if body.startswith(PARQUET):
        return _rows_of_parquet(body)
    text = gzip.decompress(body) if body.startswith(GZIP) else body
    return max(sum(1 for _ in csv.reader(StringIO(text.decode("utf-8-sig")))) - 1, 0)


def _rows_of_parquet(body: bytes) -> int:
    import tempfile

    if len(body) < 100:
        return 0
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(body)
        file.flush()
        return int(str(duckdb.execute(f"SELECT count(*) FROM '{file.name}'").fetchall()[0][0]))


def packed(path: Path) -> bytes:
    buffer = BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(path.read_bytes())
    return buffer.getvalue()


def _suffix(body: bytes) -> str:
    if body.startswith(PARQUET):
        return ".snappy.parquet"
    return ".csv.gz" if body.startswith(GZIP) else ".csv"
