"""Rows that a manifest promises of several files together, held against what was read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ingest.offers import Promise, RemoteFile
from ledger.faults import Fault


def short(promises: Iterable[Promise], read: Mapping[str, int]) -> list[Fault]:
    """A fault for each promise that the rows by file do not keep; a file without any need not be among them."""
    return [
        _fault(one, rows) for one in promises if (rows := sum(read.get(label, 0) for label in one.labels)) != one.rows
    ]


def miscounted(file: RemoteFile, rows: int) -> Fault:
    text = f"the file holds {rows} rows, its manifest says {file.rows}"
    return Fault(text, "Let the provider deliver the export again.", "manifest-rows", file.label)


def _fault(one: Promise, rows: int) -> Fault:
    text = f"its {len(one.labels)} files hold {rows} rows, the manifest says {one.rows} of them together"
    return Fault(text, "Let the provider deliver the export again.", "manifest-rows", one.manifest)
