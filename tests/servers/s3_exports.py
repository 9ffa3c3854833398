"""Deliveries as AWS lays them out in S3: chunks first, the manifest last."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger.delivery import Period

PARQUET = b"PAR1"


def write_export(
    client: Any,
    bucket: str,
    prefix: str,
    export: str,
    period: str,
    chunks: Sequence[Path | bytes],
    *,
    create_new: bool = False,
    lower: bool = False,
    columns: Sequence[str] = (),
    lists_surplus: bool = False,
) -> None:
    """A delivery of Data Exports: overwriting the last one, or in a folder of its own with `create_new`.

    Overwriting leaves surplus chunks of a longer delivery behind as empty objects, as AWS does; with `lists_surplus`
    the manifest names those too. `lower` writes the partition folders in lower case.
    """
    root = f"{prefix}/{export}".lstrip("/")
    execution = str(uuid.uuid4())
    partition = f"BILLING_PERIOD={period}".lower() if lower else f"BILLING_PERIOD={period}"
    folder = f"{root}/data/{partition}/{f'20260131T000000Z-{execution}/' if create_new else ''}"
    bodies = [_body(chunk) for chunk in chunks]
    keys = [f"{folder}{export}-{number:05d}{_suffix(body)}" for number, body in enumerate(bodies, 1)]
    surplus = [] if create_new else [key for key in _keys(client, bucket, folder) if key not in keys]
    _put(client, bucket, dict(zip(keys, bodies, strict=True)) | dict.fromkeys(surplus, b""))
    listed = [*keys, *surplus] if lists_surplus else keys
    manifest = {
        "executionId": execution,
        "dataFiles": [f"s3://{bucket}/{key}" for key in listed],
        "columns": [{"name": name, "type": "string"} for name in columns],
    }
    metadata = f"{root}/metadata/{partition}"
    if create_new:
        _put_json(client, bucket, f"{metadata}/20260131T000000Z-{execution}/{export}-Manifest.json", manifest)
    _put_json(client, bucket, f"{metadata}/{export}-Manifest.json", manifest)


def write_legacy(
    client: Any,
    bucket: str,
    prefix: str,
    report: str,
    period: str,
    chunks: Sequence[Path | bytes],
    *,
    overwrite: bool = False,
    columns: Sequence[tuple[str, str]] = (),
) -> None:
    """A delivery of the legacy Cost and Usage Report; `columns` are pairs of category and name.

    Versions are kept under an assembly id each; with `overwrite` the files lie as for Athena, by year and month.
    """
    month = Period.parse(period)
    span = f"{month.start:%Y%m%d}-{month.end:%Y%m%d}"
    root, assembly = f"{prefix}/{report}".lstrip("/"), str(uuid.uuid4())
    folder = f"{root}/{report}/year={month.year}/month={month.month}" if overwrite else f"{root}/{span}/{assembly}"
    bodies = [_body(chunk) for chunk in chunks]
    keys = [f"{folder}/{report}-{number}{_suffix(body)}" for number, body in enumerate(bodies, 1)]
    _put(client, bucket, dict(zip(keys, bodies, strict=True)))
    packed = bool(bodies) and bodies[0].startswith(PARQUET)
    manifest = {
        "assemblyId": assembly,
        "account": "123456789012",
        "columns": [{"category": category, "name": name, "type": "String"} for category, name in columns],
        "charset": "UTF-8",
        "compression": "Parquet" if packed else "GZIP",
        "contentType": "Parquet" if packed else "text/csv",
        "reportId": "1234",
        "reportName": report,
        "billingPeriod": {"start": f"{month.start:%Y%m%dT%H%M%S.000Z}", "end": f"{month.end:%Y%m%dT%H%M%S.000Z}"},
        "bucket": bucket,
        "reportKeys": keys,
        "additionalArtifactKeys": [],
    }
    if not overwrite:
        _put_json(client, bucket, f"{root}/{span}/{assembly}/{report}-Manifest.json", manifest)
    _put_json(client, bucket, f"{root}/{span}/{report}-Manifest.json", manifest)


def _body(chunk: Path | bytes) -> bytes:
    return chunk if isinstance(chunk, bytes) else chunk.read_bytes()


def _suffix(body: bytes) -> str:
    return ".snappy.parquet" if body.startswith(PARQUET) else ".csv.gz"


def _keys(client: Any, bucket: str, folder: str) -> list[str]:
    found = client.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", [])
    return [item["Key"] for item in found if "/" not in item["Key"].removeprefix(folder)]


def _put(client: Any, bucket: str, objects: dict[str, bytes]) -> None:
    for key, body in objects.items():
        client.put_object(Bucket=bucket, Key=key, Body=body)


def _put_json(client: Any, bucket: str, key: str, content: Any) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=json.dumps(content, indent=2).encode())
