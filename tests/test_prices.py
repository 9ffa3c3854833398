"""The price ladder over a real ledger, a sheet and a retail price list over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import cli
import wiring
from adapters.prices import PriceLadder, ledger_rung, sheet_rung
from governance.model import Machine
from governance.rules import Price
from ledger.rates import Rate
from settings import Settings
from tests.governance.scene import NOW, machine
from wiring.prices import prices

ROOT = Path(__file__).resolve().parents[1]
SIZED = replace(machine("a"), size="Standard_B2s", system="linux")


def item(price: object, **changes: object) -> dict[str, object]:
    return {
        "currencyCode": "USD",
        "unitPrice": price,
        "armRegionName": "westeurope",
        "armSkuName": "Standard_B2s",
        "skuName": "B2s",
        "productName": "Virtual Machines BS Series",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        **changes,
    }


ITEMS = [
    item(0.048),
    item(0.096, productName="Virtual Machines BS Series Windows"),
    item(0.01, skuName="B2s Spot"),
    item(0.02, skuName="B2s Low Priority"),
    item(9, type="Reservation"),
    item(9, unitOfMeasure="1 GB"),
    item(9, currencyCode="EUR"),
    item(9, armSkuName="Standard_B4s"),
    item("9"),
    item(None),
    item(-9),
    item(0),
]


class Retail(ThreadingHTTPServer):
    """Answers every question with `body`, after `delay` seconds."""

    daemon_threads = True

    def __init__(self, body: bytes, status: int = 200, delay: float = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.body, self.status, self.delay, self.asked = body, status, delay, list[str]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Retail

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def retail(body: object = None, **more: Any) -> Iterator[Retail]:
    raw = body if isinstance(body, bytes) else json.dumps({"Items": ITEMS if body is None else body}).encode()
    with Retail(raw, **more) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def asked(server: Retail, folder: Path, *machines: Machine, currency: str = "USD") -> dict[str, Price]:
    found = Settings(store_url=str(folder / "store"), retail_prices=True)
    return dict(prices(found, {"LEDGER_PRICES_URL": server.url}).of(machines, currency, NOW))


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        ({}, "0.048"),
        ({"system": "windows"}, "0.096"),
        ({"system": ""}, "0.096"),
        ({"purchase": "spot"}, "0.02"),
        ({"units": 3}, "0.144"),
        ({"size": ""}, None),
        ({"kind": "snowflake_warehouse"}, None),
        ({"size": "Standard_X"}, None),
    ],
)
def test_the_dearest_public_price_that_fits(tmp_path: Path, changes: dict[str, Any], price: str | None) -> None:
    one = replace(SIZED, **changes)
    with retail() as server:
        found = asked(server, tmp_path, one)[one.id]
    assert found.per_hour == (None if price is None else Decimal(price))
    assert found.source == ("public retail price" if price else f"unknown: {UNKNOWN}")


UNKNOWN = "the ledger has none; the public price list has none"


def test_a_size_is_asked_for_once_and_its_name_cannot_change_the_question(tmp_path: Path) -> None:
    sly = replace(SIZED, id=SIZED.id + "x", size="x' or '1' eq '1", location="West Europe")
    with retail() as server:
        asked(server, tmp_path, SIZED, replace(SIZED, id=SIZED.id + "b"), sly)
        first, second = (parse_qs(urlsplit(path).query) for path in server.asked)
    assert first["$filter"][0].endswith("armSkuName eq 'Standard_B2s' and priceType eq 'Consumption'")
    assert "armSkuName eq 'x'' or ''1'' eq ''1'" in second["$filter"][0]
    assert "armRegionName eq 'westeurope'" in second["$filter"][0]


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"junk", {}),
        (b"[]", {}),
        (b"\xff", {}),
        (b'{"Items": 3}', {}),
        (b'{"Items": [1, null, {"unitPrice": NaN}]}', {}),
        (b"", {"status": 500}),
        (b"{}", {"status": 429}),
        (b"[" * 100_000, {}),
    ],
)
def test_a_price_list_that_answers_badly_is_an_unknown_price(tmp_path: Path, body: bytes, more: dict[str, Any]) -> None:
    with retail(body, **more) as server:
        found = asked(server, tmp_path, SIZED)[SIZED.id]
    assert found.per_hour is None and found.source.startswith("unknown: the ledger has none; the public price list")


def test_a_rung_that_is_late_is_not_waited_for() -> None:
    def late(_machines: Any, _currency: str) -> dict[str, Price]:
        time.sleep(5)
        return {SIZED.id: Price(Decimal(1), "USD", "late")}

    started = time.monotonic()
    found = PriceLadder({"late": late}, seconds=0.05).of([SIZED], "USD", NOW)
    assert time.monotonic() - started < 2
    assert found[SIZED.id] == Price(None, "", "unknown: late took longer than 0.05 s")


def test_the_first_rung_that_knows_it_in_the_currency_counts() -> None:
    def rung(price: str, currency: str) -> Any:
        return lambda machines, _: {one.id: Price(Decimal(price), currency, price) for one in machines}

    ladder = PriceLadder({"a": rung("1", "EUR"), "b": rung("2", "USD"), "c": rung("3", "USD")})
    assert ladder.of([SIZED], "USD", NOW)[SIZED.id].source == "2"
    assert ladder.of([SIZED], "GBP", NOW)[SIZED.id].per_hour is None
    assert PriceLadder({}).of([SIZED], "USD", NOW)[SIZED.id].source == "unknown: nothing was asked"


@pytest.mark.parametrize("amount", ["0", "-1.5"])
def test_what_costs_nothing_or_less_is_no_price(amount: str) -> None:
    """A refund or a credit in the newest rows would make room under a ceiling on money."""

    def told(text: str) -> Any:
        return lambda machines, currency: {one.id: Price(Decimal(text), currency, "told") for one in machines}

    assert PriceLadder({"the ledger": told(amount)}).of([SIZED], "USD", NOW)[SIZED.id].per_hour is None
    both = PriceLadder({"the ledger": told(amount), "the sheet": told("2")})
    assert both.of([SIZED], "USD", NOW)[SIZED.id].per_hour == 2


def test_a_fault_does_not_quote_what_may_be_secret() -> None:
    def broken(_machines: Any, _currency: str) -> dict[str, Price]:
        raise OSError("https://account?sig=SECRET")

    assert "SECRET" not in PriceLadder({"x": broken}).of([SIZED], "USD", NOW)[SIZED.id].source


def test_a_sheet_is_read_by_kind_place_and_size(tmp_path: Path) -> None:
    lines = ["kind,location,size,per_hour,currency", "AZURE_VM,WestEurope,standard_b2s,0.05,USD"]
    lines += ["azure_vm,westeurope,Standard_B4s,0,USD", "azure_vm,westeurope,Standard_B8s,x,USD", "short"]
    (tmp_path / "sheet.csv").write_text("\n".join(lines))
    ladder = PriceLadder({"the sheet": sheet_rung(tmp_path / "sheet.csv")})
    others = [replace(SIZED, id=size, size=size) for size in ("Standard_B4s", "Standard_B8s")]
    found = ladder.of([SIZED, *others], "USD", NOW)
    assert found[SIZED.id] == Price(Decimal("0.05"), "USD", "price sheet sheet.csv")
    assert [found[one.id].per_hour for one in others] == [None, None]
    missing = PriceLadder({"the sheet": sheet_rung(tmp_path / "none.csv")}).of([SIZED], "USD", NOW)
    assert missing[SIZED.id].source == "unknown: the sheet failed (FileNotFoundError)"


def test_the_ledgers_rate_is_for_each_unit() -> None:
    rung = ledger_rung(lambda ids: {ids[0]: Rate(Decimal("0.5"), "USD", date(2026, 11, 11))})
    assert rung([replace(SIZED, units=2)], "USD")[SIZED.id] == Price(Decimal(1), "USD", "ledger, rows of 2026-11-11")


@pytest.mark.parametrize("billed", ["i-0abc", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc"])
def test_bills_of_aws_name_an_instance_by_its_arn_or_by_what_stands_last_in_it(billed: str) -> None:
    one = replace(SIZED, id="arn:aws:ec2:eu-west-1:111122223333:instance/i-0ABC", kind="aws_ec2")
    rung = ledger_rung(lambda ids: {id: Rate(Decimal(2), "USD", date(2026, 11, 11)) for id in ids if id == billed})
    assert rung([one], "USD")[one.id].per_hour == 2


def test_what_stands_last_in_an_id_of_azure_is_no_name_of_it() -> None:
    rung = ledger_rung(lambda ids: {id: Rate(Decimal(2), "USD", date(2026, 11, 11)) for id in ids if id == "a"})
    assert rung([SIZED], "USD") == {}


def test_a_machine_that_is_in_the_ledger_is_priced_by_its_own_rows(tmp_path: Path) -> None:
    assert cli.main(["ingest", str(ROOT / "samples"), "--store", str(tmp_path / "store"), "--json"]) == 0
    found = Settings(store_url=str(tmp_path / "store"))
    with wiring.engine(found) as connection:
        ledger = wiring.book(wiring.store(found.store_url, {}))
        sql = f"""SELECT ResourceId, BillingCurrency FROM ({ledger.relation_sql(ledger.files())})
            WHERE ConsumedUnit = 'Hours' AND ChargeCategory = 'Usage' AND ResourceId LIKE '/subscriptions/%'
            AND EffectiveCost > 0 ORDER BY x_BillingPeriod DESC, ResourceId LIMIT 1"""
        id, currency = connection.execute(sql).fetchall()[0]
    one = replace(SIZED, id=id.upper())
    price = prices(found, {}).of([one, SIZED], currency, NOW)
    own = price[one.id]
    assert own.per_hour is not None and own.per_hour > 0 and own.source.startswith("ledger, rows of 20")
    assert price[SIZED.id].source == "unknown: the ledger has none"
