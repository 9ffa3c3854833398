"""The price ladder on real parts; nothing of it is opened before a plan is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, book, engine, store

if TYPE_CHECKING:
    from adapters.prices import Rung
    from governance.rules import Prices
    from ledger.rates import Rate

NEWEST = 2


def prices(found: Settings, env: Env) -> Prices:
    from adapters.prices import PriceLadder, ledger_rung, retail_rung, sheet_rung
    from adapters.retail_prices import PUBLIC, RetailPrices

    rungs: dict[str, Rung] = {"the ledger": ledger_rung(lambda ids: _rates(ids, found, env))}
    if found.price_sheet:
        rungs["the price sheet"] = sheet_rung(Path(found.price_sheet))
    if found.retail_prices:
        rungs["the public price list"] = retail_rung(RetailPrices(env.get("LEDGER_PRICES_URL") or PUBLIC))
    return PriceLadder(rungs)


def _rates(ids: Sequence[str], found: Settings, env: Env) -> Mapping[str, Rate]:
    """From the newest months of each source: an older price is none to go by."""
    from ledger.rates import rates, rates_sql

    ledger = book(store(found.store_url, env))
    months = sorted({part.period for part in ledger.partitions()})[-NEWEST:]
    if not months:
        return {}
    with engine(found) as connection:
        relation = ledger.relation_sql(ledger.files(wanted=lambda _source, period: period in months))
        return rates(connection.execute(rates_sql(relation), [list(ids)]).fetchall())
