"""The money story: the sample bills into a fresh ledger, through the functions of `ledger ingest` and `summary`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import terminal
import wiring
from demo.story import Money
from ingest.intake import Request
from ingest.run import Run
from ledger.faults import Rejected
from ledger.summary import facts, facts_sql, summarise
from settings import Settings


def play_money(found: Settings, env: Mapping[str, str], samples: Path, now: datetime) -> Money:
    """Ingests, prints what came of it and the summary tables; Rejected when a bill was refused."""
    with terminal.progress(quiet=False) as progress:
        intake = wiring.take_in([str(samples)], Request(sources=found.sources), found, env, now, progress)
    terminal.show_intake(intake, as_json=False)
    if intake.faults:
        raise Rejected(intake.faults)
    money = _read_back(found, env, intake.runs)
    terminal.show_summary(money.document, as_json=False)
    return money


def _read_back(found: Settings, env: Mapping[str, str], runs: tuple[Run, ...]) -> Money:
    at = wiring.store(found.store_url, env)
    book = wiring.book(at)
    with wiring.engine(found) as connection:
        rows = connection.execute(facts_sql(book.relation_sql(book.files()), found.classification)).fetchall()
    cells = facts(rows)
    document = summarise(cells, at.url, book.version())
    return Money(document, tuple(cells), sum(run.raw_rows for run in runs), sum(map(_open, runs), Decimal(0)))


def _open(run: Run) -> Decimal:
    """What the raw total holds beyond what was mapped, excluded and refused: nothing, if money is conserved."""
    named = (sum([*line.excluded.values(), *line.refused.values()], line.mapped) for line in run.balances)
    return sum((line.raw for line in run.balances), Decimal(0)) - sum(named, Decimal(0))
