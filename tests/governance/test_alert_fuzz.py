"""Ten thousand bodies that nobody would send, from one seed: none raises, none plans what is not the registry's."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.folder import FolderStore
from governance import flow, streams
from governance.record import Record
from tests.governance.scene import BUDGETS, DOLLAR, NOW, PAYLOADS, SUBSCRIPTION, ListQueue, MemoryFleet, machine

BODIES = 10_000
FORMS = ("common-actual", "common-forecast", "legacy", "legacy-short", "metric")
ELSEWHERE = "/subscriptions/33333333-2222-4222-8222-222222222222"
ANSWERS = {202, 400, 403, 413, 422}

# What stands in place of a field: amounts, places and instants of somebody else's, and what is no text at all.
MONEY = ("$0.80", "$0.81", "$0.801", "$1.00", "$1,00", "$1,000", "€0.80", "0.8", "1", "-1", "1e9", "NaN", "Infinity")
LONG = ("9" * 500, "$999999999999999.999999999999", "0." + "0" * 30 + "1", "x" * 3000, "💥" * 100)
PLACES = (
    ELSEWHERE,
    ELSEWHERE + "/",
    SUBSCRIPTION.upper(),
    SUBSCRIPTION + "/../..",
    "/",
    "//",
    "*",
    "%2e%2e",
    "\\",
    "'; --",
)
NAMES = (
    "dev-dollar",
    "DEV-DOLLAR",
    "dev-dollar ",
    "lab-monthly",
    "rg-lab",
    "Actual",
    "Forecasted",
    "USD",
    "EUR",
    "usd",
)
TIMES = (
    "2026-11-12T16:04:10Z",
    "2026-11-12T16:04:10",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "11/12/2026",
)
ODD: tuple[Any, ...] = (
    "",
    "\x00",
    "\ud800",
    "a\r\nb",
    "\ufeff",
    "\u0663",
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    [],
    {},
    ["USD"],
    {"a": {}},
)
HOSTILE: tuple[Any, ...] = (*MONEY, *LONG, *PLACES, *NAMES, *TIMES, *ODD)


def fields(document: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(document, dict):
        return []
    return [found for key in document for found in ((*path, key), *fields(document[key], (*path, key)))]


def spoil_field(document: dict[str, Any], chance: random.Random) -> None:
    """One field is replaced, taken out, renamed or swapped with another."""
    places = fields(document)
    if not places:
        return
    *path, name = chance.choice(places)
    table = document
    for key in path:
        table = table[key]
    kind = chance.randrange(5)
    if kind == 0:
        del table[name]
    elif kind == 1:
        table[name.swapcase()] = table.pop(name)
    elif kind == 2:
        other = chance.choice(sorted(table))
        table[name], table[other] = table[other], table[name]
    else:
        table[name] = chance.choice(HOSTILE)


def cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body))]


def flip(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def double(body: bytes, chance: random.Random) -> bytes:
    """A key twice, the second one somebody else's."""
    key = chance.choice([b'"BudgetId"', b'"Scope"', b'"BudgetName"', b'"SubscriptionId"', b'"schemaId"'])
    return body.replace(key, key + b': "x", ' + key, 1)


def nest(body: bytes, chance: random.Random) -> bytes:
    depth = chance.choice([1, 50, 5000])
    return b"[" * depth + body + b"]" * depth


SPOILERS: tuple[Callable[[bytes, random.Random], bytes], ...] = (cut, flip, flip, double, nest)


def spoilt(chance: random.Random) -> bytes:
    document = json.loads((PAYLOADS / f"{chance.choice(FORMS)}.json").read_text())
    for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 3, 6])):
        spoil_field(document, chance)
    body = json.dumps(document).encode()
    return chance.choice(SPOILERS)(body, chance) if chance.random() < 0.25 else body


def test_ten_thousand_bodies_never_raise_and_plan_nothing_outside_the_registry(memory_folder: Path) -> None:
    chance, queue = random.Random(20261112), ListQueue()
    record = Record(FolderStore(memory_folder))
    inside = machine("a")
    stranger = replace(inside, id=inside.id.replace(SUBSCRIPTION, ELSEWHERE))
    fleet = MemoryFleet(inside, machine("untagged", ledger_stop=""), machine("b", ledger_stop="other"), stranger)
    statuses = Counter(
        flow.on_alert(spoilt(chance), budgets=BUDGETS, record=record, queue=queue, now=NOW, live=True).status
        for _ in range(BODIES)
    )
    assert set(statuses) == ANSWERS - {413}
    assert min(statuses[202], statuses[400], statuses[403], statuses[422]) > 100, statuses
    for message in queue.sent:
        assert message.queue == streams.PLAN_STOP
        flow.on_plan(message.body, budgets=BUDGETS, record=record, fleet=fleet, now=NOW, live=True)
    received = [record.events(stream)[0] for stream in record.streams("alerts/")]
    known = {(one.id, one.scope, one.currency) for one in BUDGETS}
    assert {(one.body["budget_id"], one.body["scope"], one.body["currency"]) for one in received} <= known
    orders = [record.events(stream)[0] for stream in record.streams("orders/")]
    assert {str(order.body["target"]) for order in orders} == {inside.id}
    assert DOLLAR.id in {one.body["budget_id"] for one in received}
    assert fleet.stops == []
