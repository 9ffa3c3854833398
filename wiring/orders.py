"""Runs and orders on real parts, and what the ledger's rows say that their machines cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from settings import Settings
from wiring.parts import Env, book, engine, record, store

if TYPE_CHECKING:
    from governance.machine_bill import Bill
    from governance.record import Record
    from governance.runs import Life, Run

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
    lines, document = _billed(run, life, kept, found, env)
    events = [{"kind": event.kind, "at": event.at.isoformat(), "body": dict(event.body)} for event in life.events]
    whole = {**life.document(), "run": run.document() | {"orders": []}, "events": events, **document}
    return [*details(run, life), *lines], whole


def receipt(run: Run, found: Settings, env: Env) -> Story:
    """The receipt of one run, with the bill of each machine that it stopped."""
    from governance.receipt import receipt as told
    from governance.runs import lines

    kept = record(store(found.store_url, env))
    listed, bills = [*told(kept, run.id), "", *lines([run])], {}
    for life in run.orders:
        more, bills[life.id] = _billed(run, life, kept, found, env)
        listed += [f"{life.target}:", *more] if more else []
    return listed, {**run.document(), "bills": bills}


def _billed(run: Run, life: Life, kept: Record, found: Settings, env: Env) -> Story:
    """Nothing where no machine was stopped."""
    from governance.machine_bill import Bill, document
    from governance.order_receipt import bill_lines, on_again, stopped, target_of

    day = stopped(life)
    if day is None:
        return [], {"bill": None}
    started, target = on_again(kept, life), target_of(run, life)
    bill = machine_bill(life.target, Bill(day, on_again=started.at.date() if started else None), found, env)
    return bill_lines(bill, target), {"bill": document(bill, target)}


def machine_bill(target: str, stop: Bill, found: Settings, env: Env) -> Bill:
    """What the machine cost around its stop, by the ledger as it stands."""
    from governance.machine_bill import bill, costs_sql, known_sql, months, names_of, span

    first, last = months(stop.stopped)
    ledger = book(store(found.store_url, env))
    files = ledger.files(wanted=lambda _source, period: first <= period <= last)
    asked: Mapping[str, object] = {
        **names_of(unquote(target)),
        **dict(zip(("first", "last"), span(stop.stopped), strict=True)),
    }
    with engine(found) as connection:
        relation = ledger.relation_sql(files)
        costs = connection.execute(costs_sql(relation), _named(costs_sql(relation), asked)).fetchall()
        known = connection.execute(known_sql(relation), _named(known_sql(relation), asked)).fetchall()
    sources = {source for _, source in known}
    delivered = max((file.written for file in files if file.source in sources), default=None)
    return bill(target, replace(stop, delivered=delivered), costs, known)


def _named(text: str, asked: Mapping[str, object]) -> dict[str, object]:
    """Only the parameters the text has: the engine refuses others."""
    return {name: value for name, value in asked.items() if f"${name}" in text}
