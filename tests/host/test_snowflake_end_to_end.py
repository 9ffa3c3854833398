"""From Snowflake's views to partitions on blob storage, by ledger.toml alone: timer, queue, worker, real connector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

import settings
import wiring
from bench.gen.snowflake_views import Month, tables
from ingest.snowflake_views import latency_of
from ledger.delivery import Period
from tests.clock import WATCHED, months_due
from tests.host.conftest import Start
from tests.host.ingestion import Ingestion
from tests.servers.fixtures import snowflake_server as snowflake_server
from tests.servers.snowflake import Account, Snowflake
from tests.snowflake_account import SOURCE, USAGE

ROWS = 800
MORE = f'allocation = "warehouse"\nrestated_for = {WATCHED}\nsince = '


@dataclass(frozen=True)
class Running(Ingestion):
    account: Account
    months: tuple[Period, Period]

    def tell(self, *, restated: bool = False) -> None:
        """Every view says what there is of both months, and nothing else. What has no month is told once."""
        older, newer = self.months
        for view, rows in tables(Month(ROWS, newer.year, newer.month)).items():
            self.account.run(f"DELETE FROM SNOWFLAKE.{view}")
            self.account.load(view, rows)
        for view, rows in tables(Month(ROWS, older.year, older.month, restated=restated)).items():
            if not view.endswith(("TAG_REFERENCES", "CONTRACT_ITEMS")):
                self.account.load(view, rows)

    def billed(self) -> Decimal:
        """What the views say, both months."""
        ((total,),) = self.account.run(f"SELECT sum(USAGE_IN_CURRENCY) FROM SNOWFLAKE.{USAGE}")
        return Decimal(total or "nothing")

    def billed_of_warehouses(self) -> dict[str, Decimal]:
        """What the ledger allocates, by warehouse."""
        found, env = settings.load(None, self.service.env), self.service.env
        ledger = wiring.book(wiring.store(found.store_url, env))
        rows = f"FROM ({ledger.relation_sql(ledger.files())}) WHERE AllocatedMethodId IS NOT NULL"
        asked = f"SELECT AllocatedResourceName, sum(BilledCost) {rows} GROUP BY 1"
        with wiring.engine(found) as connection:
            return dict(connection.execute(asked).fetchall())

    def outcomes(self, count: int) -> list[str]:
        return sorted(self.carried(count)[count - 2 :])


@pytest.fixture
def running(start: Start, snowflake_server: Snowflake, unique_name: str) -> Iterator[Running]:
    account = snowflake_server.open(f"ORG{unique_name[-12:]}-PRODUCTION", chunk_rows=200)
    months = months_due(timedelta(hours=latency_of("usage")))
    toml = SOURCE.format(account=account.name, auth="password", more=f'{MORE}"{months[0]}"')
    with start(toml, **account.env) as service:
        service.pump.visibility = 0
        found = Running(service, account, months)
        found.tell()
        yield found
    account.close()


def test_an_account_becomes_partitions_and_asked_again_it_is_unchanged(running: Running) -> None:
    assert running.plan() == ["ingest-partition"] * 2
    assert running.outcomes(2) == ["committed", "committed"]
    assert Decimal(running.total()) == running.billed()
    assert {"ETL_WH", "BI_WH", "ADHOC_WH", "ML_WH"} <= {*running.billed_of_warehouses()}
    running.plan()
    assert running.outcomes(4) == ["unchanged", "unchanged"]
    assert {login["authenticator"] for login in running.account.logins} == {"SNOWFLAKE"}


def test_a_month_that_is_told_again_takes_the_place_of_what_was_told_before(running: Running) -> None:
    running.plan()
    running.carried(2)
    before = running.billed()
    running.tell(restated=True)
    running.plan()
    assert running.outcomes(4) == ["committed", "unchanged"]
    assert Decimal(running.total()) == running.billed() != before


def test_a_connection_lost_in_the_middle_of_a_month_leaves_nothing_and_the_next_try_repairs(running: Running) -> None:
    running.account.fail({"pattern": "USAGE_IN_CURRENCY_DAILY", "kind": "chunks", "after": 2, "times": 1})
    running.plan()
    assert sorted(running.carried(3)) == ["committed", "committed", "failed"]
    assert Decimal(running.total()) == running.billed()
