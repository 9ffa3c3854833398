"""Azure's public retail prices, asked without a sign-in: what the size costs anybody, not what the contract says."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from governance.model import Machine

PUBLIC = "https://prices.azure.com"
SECONDS = 3
MOST_BYTES = 2_000_000
KINDS = ("azure_vm", "azure_vmss")


class RetailPrices:
    """Prices by size and region, each asked for once. Any fault surfaces: the ladder turns it into an unknown price."""

    def __init__(self, url: str = PUBLIC) -> None:
        self._url = url.rstrip("/")
        self._known: dict[tuple[str, str, str], Sequence[Mapping[str, Any]]] = {}

    def price(self, machine: Machine, currency: str) -> Decimal | None:
        """The dearest hour that fits, so that a doubt is never read as cheap; None where none fits."""
        if machine.kind not in KINDS or not machine.size or not machine.location:
            return None
        items = self._items(machine.size, machine.location.replace(" ", "").lower(), currency)
        fitting = [_amount(one) for one in items if _fits(one, machine, currency)]
        return max((one for one in fitting if one is not None), default=None)

    def _items(self, size: str, region: str, currency: str) -> Sequence[Mapping[str, Any]]:
        asked = (size, region, currency)
        if asked not in self._known:
            self._known[asked] = self._ask(*(one.replace("'", "''") for one in asked))
        return self._known[asked]

    def _ask(self, size: str, region: str, currency: str) -> Sequence[Mapping[str, Any]]:
        wanted = f"armRegionName eq '{region}' and armSkuName eq '{size}' and priceType eq 'Consumption'"
        query = urlencode(
            {"currencyCode": f"'{currency}'", "$filter": f"serviceName eq 'Virtual Machines' and {wanted}"}
        )
        request = urllib.request.Request(
            f"{self._url}/api/retail/prices?{query}", headers={"Accept": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            document = json.loads(answer.read(MOST_BYTES), parse_float=Decimal, parse_int=Decimal)
        items = document.get("Items") if isinstance(document, dict) else None
        return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _fits(item: Mapping[str, Any], machine: Machine, currency: str) -> bool:
    sku, product = str(item.get("skuName", "")).lower(), str(item.get("productName", "")).lower()
    spot = "spot" in sku or "low priority" in sku
    system = machine.system.lower()
    return (
        (item.get("type"), item.get("unitOfMeasure"), item.get("currencyCode")) == ("Consumption", "1 Hour", currency)
        and str(item.get("armSkuName", "")).lower() == machine.size.lower()
        and spot is (machine.purchase == "spot")
        and (not system or ("windows" in product) is (system == "windows"))
    )


def _amount(item: Mapping[str, Any]) -> Decimal | None:
    found = item.get("unitPrice")
    return found if isinstance(found, Decimal) and found.is_finite() and found > 0 else None
