"""Two terminals at once on one store: a delivery is never doubled, whoever comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import wiring
from tests.bills import cur2
from tests.ingest.two_writers import ingest
from tests.ledger.writers import together

Place = tuple[str, dict[str, str]]


@pytest.fixture(params=["folder", "blob"])
def place(request: pytest.FixtureRequest, tmp_path: Path, unique_name: str) -> Place:
    """Store URL and the environment that opens it."""
    if request.param == "folder":
        return str(tmp_path / "store"), {}
    return f"az://{unique_name}/ledger", {"AzureWebJobsStorage": request.getfixturevalue("azurite").connection_string}


def race(place: Place, config: Path, *files: Path) -> list[int | None]:
    url, env = place
    words = ["--store", url, "--config", str(config)]
    return together(ingest, [([str(file), *words], env) for file in files])


def figures(place: Place, config: Path) -> tuple[Any, Any]:
    url, env = place
    document: Any = wiring.summary(wiring.settings({"LEDGER_STORE": url}, config), env)
    block = document["currencies"]["USD"]
    return block["total"], block["rows"]


def test_the_same_delivery_twice_at_once_counts_once(place: Place, config: Path, tmp_path: Path) -> None:
    path = cur2(tmp_path / "a.parquet", {}, {"line_item_unblended_cost": 0.25})
    assert race(place, config, path, path) == [0, 0]
    assert figures(place, config) == ("1.25", 2)


def test_of_two_deliveries_of_a_partition_one_whole_one_stays(place: Place, config: Path, tmp_path: Path) -> None:
    one = cur2(tmp_path / "1.parquet", *[{"line_item_unblended_cost": 2.0}] * 3)
    two = cur2(tmp_path / "2.parquet", *[{"line_item_unblended_cost": 5.0}] * 4)
    assert race(place, config, one, two) == [0, 0]
    assert figures(place, config) in (("6.00", 3), ("20.00", 4))


def test_deliveries_of_two_partitions_both_stay(place: Place, config: Path, tmp_path: Path) -> None:
    one, two = cur2(tmp_path / "1.parquet"), cur2(tmp_path / "2.parquet", {"bill_payer_account_id": "999"})
    assert race(place, config, one, two) == [0, 0]
    assert figures(place, config) == ("2.00", 2)
