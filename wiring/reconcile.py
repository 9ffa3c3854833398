"""The ledger's costs against what a provider tells by another way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from settings import Settings
from wiring.parts import Env, book, engine, store
from wiring.totals import TELLERS, Asking

if TYPE_CHECKING:
    from ingest.flow import Progress
    from ingest.plan import Source
    from ledger.delivery import Period
    from ledger.independent import DayCost, IndependentTotals, LeftOut, Measure, Reconciled

RULE = "reconcile"


@dataclass(frozen=True, slots=True)
class Question:
    """Which provider's costs; no periods mean all that the ledger holds and the provider still tells."""

    provider: str
    source: str = ""
    periods: tuple[Period, ...] = ()
    tolerance: Decimal = Decimal("0.01")
    scope: str = ""


def reconcile(
    question: Question, found: Settings, env: Env, now: datetime, progress: Progress
) -> tuple[list[Reconciled], list[LeftOut]]:
    """A comparison per month and kind of cost, and what cannot be compared, each with its reason."""
    from ledger.faults import reject
    from ledger.independent import LeftOut

    if question.provider not in TELLERS:
        advice = f"These are asked for totals of their own: {', '.join(TELLERS)}."
        raise reject(f"there are no independent totals of {question.provider}", advice, RULE)
    source = _source(question, found)
    question = replace(question, source=source.name)
    totals = TELLERS[question.provider].ask(Asking(source, found, env, now, progress, question.scope))
    with _rows(found, env) as rows:
        desk = _Desk(question, totals, rows, progress)
        asked = question.periods or desk.held()
        told = [period for period in sorted(asked) if not totals.untold(period)]
        left = [LeftOut(str(period), totals.untold(period)) for period in sorted(asked) if period not in told]
        desk.check_held(told)
        results = [result for period in told for result in desk.month(period)]
    return [one for one in results if not isinstance(one, LeftOut)], [
        *left,
        *(one for one in results if isinstance(one, LeftOut)),
    ]


def _source(question: Question, found: Settings) -> Source:
    """The source whose account is asked: the one named, else the only one of the provider."""
    from ingest.plan import Source
    from ledger.faults import reject

    if question.source:
        unknown = Source(question.source, question.provider)
        return next((one for one in found.sources if one.name == question.source), unknown)
    teller = TELLERS[question.provider]
    reachable = [one for one in found.sources if one.provider == question.provider and teller.reachable(one)]
    if len(reachable) > 1:
        names = ", ".join(one.name for one in reachable)
        raise reject(f"several sources are of {teller.rows}: {names}", "Name one: --source NAME.", RULE)
    return reachable[0] if reachable else Source("", question.provider)


class _Rows:
    """The ledger's rows as a relation that is asked by statements with parameters."""

    def __init__(self, connection: Any, relation: str) -> None:
        self._connection, self.relation = connection, relation

    def ask(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(sql, list(parameters)).fetchall()
        return found


@contextmanager
def _rows(found: Settings, env: Env) -> Iterator[_Rows]:
    ledger = book(store(found.store_url, env))
    with engine(found) as connection:
        yield _Rows(connection, ledger.relation_sql(ledger.files()))


@dataclass(frozen=True, slots=True)
class _Desk:
    """One provider's totals beside the ledger's rows."""

    question: Question
    totals: IndependentTotals
    rows: _Rows
    progress: Progress

    def held(self) -> list[Period]:
        """The months in which the ledger has rows of the provider and source."""
        from ledger.delivery import Period
        from ledger.faults import reject
        from ledger.independent import months_sql

        provider = self.totals.provider
        found = self.rows.ask(months_sql(self.rows.relation, provider), self.question.source)
        if not found:
            advice = "Ingest a bill first: ledger ingest PATH."
            raise reject(f"the ledger holds no month of {provider} to compare", advice, RULE)
        return [Period.parse(month) for (month,) in found]

    def check_held(self, periods: Sequence[Period]) -> None:
        """Rejected when one of the months was asked for and is not here: nothing is no cost of 0."""
        from ledger.faults import reject

        absent = [str(period) for period in periods if period not in self.held()]
        if absent:
            of = self.question.source or self.totals.provider
            advice = "Ingest it first: ledger ingest PATH; or leave --period out."
            raise reject(f"the ledger holds no rows of {of} of {', '.join(absent)}", advice, RULE)

    def month(self, period: Period) -> Iterator[Reconciled | LeftOut]:
        for measure in self.totals.measures(period):
            yield self._unfit(period, measure) or self._compared(period, measure)

    def _unfit(self, period: Period, measure: Measure) -> LeftOut | None:
        from ledger.independent import LeftOut, bases_sql

        if not measure.basis:
            return None
        rows = self.rows.ask(bases_sql(self.rows.relation, self.totals.provider), self.question.source, str(period))
        bases = sorted({str(basis) for (basis,) in rows if basis != measure.basis})
        reason = f"{measure.column} in the ledger is {', '.join(bases)}, not {measure.basis}: not compared"
        return LeftOut(str(period), reason) if bases else None

    def _compared(self, period: Period, measure: Measure) -> Reconciled | LeftOut:
        """Before: how many requests there were; an answer without any cost is no answer."""
        from ledger.independent import LeftOut, Reconciled, compare

        asked_before, days = self.totals.requests, self.totals.days(period)
        step = {"provider": self.question.provider, "period": str(period), "metric": measure.asked}
        self.progress("ask", step)
        other = list(self.totals.daily(measure, days))
        if not other:
            reason = f"{self.totals.name} tells no {measure.asked} at all: unknown, not zero"
            return LeftOut(str(period), reason, unknown=True)
        ours = self._booked(measure, days)
        compared = compare(ours, other, self.totals.names(ours, other), self.question.tolerance)
        requests = self.totals.requests - asked_before
        outside = self._outside(period, measure, days)
        return Reconciled(str(period), measure, self.totals.name, self.totals.price, requests, compared, outside)

    def _booked(self, measure: Measure, days: tuple[date, date]) -> list[DayCost]:
        from ledger.independent import DayCost, daily_sql

        sql = daily_sql(self.rows.relation, self.totals.provider, measure.column, self.totals.service)
        return [DayCost(*row) for row in self.rows.ask(sql, *days, self.question.source)]

    def _outside(self, period: Period, measure: Measure, days: tuple[date, date]) -> Any:
        from ledger.independent import Outside, outside_sql

        sql = outside_sql(self.rows.relation, self.totals.provider, measure.column)
        return tuple(Outside(*row) for row in self.rows.ask(sql, *days, self.question.source, str(period)))
