"""Metadata beside data is found from any of its files, and only what is metadata is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.faults import Rejected
from ledger.metadata_files import metadata_beside, write_metadata
from tests.focus.metadata_document import document


def test_documents_come_back_as_they_were_written(tmp_path: Path) -> None:
    paths = write_metadata(tmp_path / "metadata", document())
    assert sorted(path.name for path in paths) == [
        *("data_generator.json", "dataset_instance.json", "recency.json", "schema.json")
    ]
    assert metadata_beside(tmp_path) == document()


def test_they_are_found_from_a_data_file_of_an_export(tmp_path: Path) -> None:
    data = tmp_path / "CostAndUsage" / "mine" / "2026-01" / "part-00001.parquet"
    data.parent.mkdir(parents=True)
    data.touch()
    assert metadata_beside(data) is None
    write_metadata(tmp_path / "metadata", document())
    assert metadata_beside(data) == metadata_beside(data.parent) == document()


def test_a_providers_own_manifest_is_no_metadata(tmp_path: Path) -> None:
    folder = tmp_path / "metadata"
    folder.mkdir()
    (folder / "export-Manifest.json").write_text(json.dumps({"dataFiles": []}))
    (folder / "notes.json").write_text("[1, 2")
    assert metadata_beside(tmp_path) is None


@pytest.mark.parametrize("body", ["[]", "{", "[" * 100_000])
def test_a_broken_document_is_refused_by_name(body: str, tmp_path: Path) -> None:
    write_metadata(tmp_path / "metadata", document())
    (tmp_path / "metadata" / "schema.json").write_text(body)
    with pytest.raises(Rejected) as refused:
        metadata_beside(tmp_path)
    assert str(refused.value.faults[0].file).endswith("schema.json")
