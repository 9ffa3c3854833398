"""Long texts of Azure are read once for all lines that have them: a line is the same row alone and among others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.ingest.test_azure_cost_details import LINE, PLAN, RESERVATION
from tests.mapped import Row, focus_rows, write_csv

SIZE = '{"ServiceType":"Standard_D2s_v5","VCPUs":2,"VMCapacityReservationId":"/Groups/G1"}'
BASE = {**LINE, "AdditionalInfo": ""}
LINES = [
    BASE,
    BASE | {"Quantity": "20", "CostInBillingCurrency": "10", "UnitPrice": "0.50", "PayGPrice": "0.50"},
    BASE | {"Tags": '"env": "dev"', "AdditionalInfo": SIZE, "UnitOfMeasure": "100 Hours"},
    BASE | {"Tags": '"env": "dev"', "AdditionalInfo": SIZE.replace("2", "8"), "UnitOfMeasure": "10K"},
    BASE | {"Tags": "env=dev", "AdditionalInfo": SIZE[:20], "UnitOfMeasure": "1,000 Calls"},
    BASE | {"Tags": " ", "UnitOfMeasure": "", "ResourceId": "", "ResourceName": "", "PayGPrice": ""},
    BASE | {"benefitId": RESERVATION, "PricingModel": "Reservation"},
    BASE | {"benefitId": PLAN, "PricingModel": "SavingsPlan", "ChargeType": "UnusedSavingsPlan", "ResourceId": ""},
]


def rows(lines: Sequence[dict[str, str]], folder: Path) -> list[Row]:
    folder.mkdir()
    return focus_rows([(write_csv(folder / "bill.csv", lines), "amortized")], folder)


def test_a_line_is_the_same_row_alone_and_among_others(tmp_path: Path) -> None:
    alone = [row for place, line in enumerate(LINES) for row in rows([line], tmp_path / str(place))]
    together = rows([*LINES, *LINES], tmp_path / "together")
    assert sorted(map(repr, together)) == sorted([*map(repr, alone)] * 2)
    assert len({row["SkuPriceDetails"] for row in alone}) == len({row["Tags"] for row in alone}) == 3
