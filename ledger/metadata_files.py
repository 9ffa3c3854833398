"""The metadata documents as files: one JSON file per document in a folder `metadata` beside the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ledger.faults import reject

FOLDER = "metadata"
NAMES = {
    "Schema": "schema.json",
    "DatasetInstance": "dataset_instance.json",
    "Recency": "recency.json",
    "DataGenerator": "data_generator.json",
}
HIGHEST = 4  # folders between a data file of an export and its root


def write_metadata(folder: Path, documents: Mapping[str, object]) -> list[Path]:
    """One file per document, each readable without the others and without the data."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / NAMES[key] for key in documents]
    for path, (key, body) in zip(paths, documents.items(), strict=True):
        path.write_text(json.dumps({key: body}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return paths


def metadata_beside(data: Path) -> dict[str, object] | None:
    """The documents of the nearest `metadata` folder in or above the data, as one mapping; None where there are none.

    Rejected for a file of ours that is no JSON object; other files in such a folder may be anything.
    """
    above = [data, *data.absolute().parents[:HIGHEST]]
    folder = next((place / FOLDER for place in above if (place / FOLDER).is_dir()), None)
    found: dict[str, object] = {}
    for path in sorted(folder.glob("*.json")) if folder else []:
        body = _read(path)
        found |= {key: body[key] for key in NAMES if key in body}
    return found or None


def _read(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    if path.name in NAMES.values():
        raise reject("is no JSON object", "Correct the file, or take it away.", "metadata-json", file=str(path))
    return {}
