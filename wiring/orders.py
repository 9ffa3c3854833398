"""Runs and orders on real parts, and what the ledger's rows say that their machines cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from settings import Settings
from wiring.parts import Env, book, engine, record, store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from governance.machine_bill import Bill
    from governance.record import Record
    from governance.runs import Life, Run
    from ledger.book import BookFile
    from ledger.delivery import Period

Story = tuple[list[str], dict[str, object]]


def runs(found: Settings, env: Env, begins: str, since: datetime | None) -> list[Run]:
    from governance.runs import listed

    return listed(record(store(found.store_url, env)), begins, since)


def order(id: str, found: Settings, env: Env) -> Story:
    """One order's whole life with its bill: lines for a person, and a JSON-ready document."""
    from governance.order_receipt import details
    from governance.runs import found as looked_up

    kept = record(store(found.store_url, env))
    run, life = looked_up(kept, id)
    lines, bill = _billed(run, [life], kept, found, env).get(life.id, ([], None))
    events = [{"kind": event.kind, "at": event.at.isoformat(), "body": dict(event.body)} for event in life.events]
    whole = {**life.document(), "run": run.document() | {"orders": []}, "events": events, "bill": bill}
    return [*details(run, life), *lines], whole


def receipt(run: Run, found: Settings, env: Env) -> Story:
    """The receipt of one run, with the bill of each machine that it stopped."""
    from governance.receipt import receipt as told
    from governance.runs import lines

    kept = record(store(found.store_url, env))
    billed = _billed(run, run.orders, kept, found, env)
    listed = [*told(kept, run.id), "", *lines([run])]
    for life in run.orders:
        listed += [f"{life.target}:", *billed[life.id][0]] if life.id in billed else []
    return listed, {**run.document(), "bills": {id: bill for id, (_, bill) in billed.items()}}


def _billed(run: Run, lives: Sequence[Life], kept: Record, found: Settings, env: Env) -> dict[str, Story]:
    """By order, for those that stopped a machine."""
    from governance.machine_bill import Bill, document
    from governance.order_receipt import bill_lines, on_again, stopped, target_of

    days = [(life, day) for life in lives if (day := stopped(life))]
    starts = [on_again(kept, life) for life, _ in days]
    stops = [
        (life.target, Bill(day, on_again=start.at.date() if start else None))
        for (life, day), start in zip(days, starts, strict=True)
    ]
    told = [(life, target_of(run, life)) for life, _ in days]
    bills = machine_bills(stops, found, env) if stops else []
    return {
        life.id: (bill_lines(bill, target), document(bill, target))
        for (life, target), bill in zip(told, bills, strict=True)
    }


def machine_bills(stops: Sequence[tuple[str, Bill]], found: Settings, env: Env) -> list[Bill]:
    """What each machine cost around its stop, by the ledger as it stands."""
    from governance.machine_bill import months

    ledger = book(store(found.store_url, env))

    @cache
    def files(first: Period, last: Period) -> list[BookFile]:
        return ledger.files(wanted=lambda _source, period: first <= period <= last)

    with engine(found) as connection:
        held = [files(*months(stop.stopped)) for _, stop in stops]
        return [
            _bill(target, stop, connection, ledger.relation_sql(near), near)
            for (target, stop), near in zip(stops, held, strict=True)
        ]


def _bill(target: str, stop: Bill, engine: DuckDBPyConnection, relation: str, files: Sequence[BookFile]) -> Bill:
    from governance.machine_bill import bill, costs_sql, known_sql, names_of, span

    days = dict(zip(("first", "last"), span(stop.stopped), strict=True))
    asked: Mapping[str, object] = {**names_of(unquote(target)), **days}
    costs, known = (
        engine.execute(text, {name: value for name, value in asked.items() if f"${name}" in text}).fetchall()
        for text in (costs_sql(relation), known_sql(relation))
    )
    sources = {source for _, source in known}
    delivered = max((file.written for file in files if file.source in sources), default=None)
    return bill(target, replace(stop, delivered=delivered), costs, known)
