"""What is particular to warehouses of Snowflake: comments, states on the way, names, monitors; on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.actions.snowflake_warehouse import SnowflakeWarehouses, escaped, tags_in
from governance.fleets import Fleets
from governance.streams import order_key
from ledger.faults import Rejected, Transient
from tests.contracts.stages import signed_in
from tests.servers.fixtures import snowflake as snowflake
from tests.servers.fixtures import snowflake_server as snowflake_server
from tests.servers.snowflake import Account


@pytest.fixture
def session(snowflake: Account) -> Iterator[Any]:
    with closing(snowflake.connect()) as opened:
        yield opened


def fleet(account: Account, monitor: str = "") -> Fleets:
    return Fleets([SnowflakeWarehouses(signed_in(account), account.name, monitor=monitor)])


def id_of(account: Account, name: str) -> str:
    return f"snowflake:{account.name}/{escaped(name)}"


def test_the_comment_holds_the_tags_and_looking_starts_nothing(snowflake: Account, session: Any) -> None:
    comment = "Team A; ledger-stop=dev-monthly; environment = dev"
    session.cursor().execute(f"CREATE WAREHOUSE ASLEEP INITIALLY_SUSPENDED = TRUE COMMENT = '{comment}'")
    found = {one.name: one for one in fleet(snowflake).machines(f"snowflake:{snowflake.name}")}["ASLEEP"]
    assert dict(found.tags) == {"Team A": "", "ledger-stop": "dev-monthly", "environment": "dev"}
    assert (found.power, found.size, found.kind) == ("deallocated", "X-Small", "snowflake_warehouse")
    assert fleet(snowflake).machine(id_of(snowflake, "ASLEEP")).power == "deallocated"


def test_invariant_12_a_warehouse_on_its_way_is_not_off(snowflake: Account) -> None:
    snowflake.warehouse("LEDGER_WH", lag=2)
    id, planes = id_of(snowflake, "LEDGER_WH"), fleet(snowflake)
    planes.begin_stop(id)
    assert planes.machine(id).power == "deallocating"
    assert [planes.machine(id).power for _ in range(2)][-1] == "deallocated"


def test_a_stop_lets_queries_finish_and_says_nothing_but_suspend(snowflake: Account) -> None:
    fleet(snowflake).begin_stop(id_of(snowflake, "LEDGER_WH"))
    said = [one for one in snowflake.statements if "WAREHOUSE" in one.upper()]
    assert {one.split()[0] for one in said} == {"SHOW", "ALTER"}
    assert [one for one in said if one.startswith("ALTER")] == ['ALTER WAREHOUSE "LEDGER_WH" SUSPEND']


def test_with_a_monitor_it_stays_suspended_and_undo_gives_back_the_one_before(snowflake: Account, session: Any) -> None:
    session.cursor().execute("CREATE WAREHOUSE WATCHED RESOURCE_MONITOR = MONTHLY")
    id, planes = id_of(snowflake, "WATCHED"), fleet(snowflake, "FROZEN")
    before = planes.machine(id)
    assert dict(before.parts) == {"MONTHLY": "resource monitor"}
    planes.begin_stop(id)
    assert dict(planes.machine(id).parts) == {"FROZEN": "deallocated"}
    planes.begin_start(id, tuple(before.parts))
    altered = [one for one in snowflake.statements if one.startswith("ALTER")]
    assert altered == [
        'ALTER WAREHOUSE "WATCHED" SET RESOURCE_MONITOR = "FROZEN"',
        'ALTER WAREHOUSE "WATCHED" SUSPEND',
        'ALTER WAREHOUSE "WATCHED" SET RESOURCE_MONITOR = "MONTHLY"',
        'ALTER WAREHOUSE "WATCHED" RESUME',
    ]


@pytest.mark.parametrize(("before", "back"), [("RESOURCE_MONITOR = MONTHLY", '"MONTHLY"'), ("", "NULL")])
def test_a_suspension_that_is_refused_leaves_the_monitor_as_it_was(
    snowflake: Account, session: Any, before: str, back: str
) -> None:
    """Else the next look would take the one that keeps it off for the one that it had."""
    session.cursor().execute(f"CREATE WAREHOUSE WATCHED {before}")
    id, planes = id_of(snowflake, "WATCHED"), fleet(snowflake, "FROZEN")
    seen = dict(planes.machine(id).parts)
    snowflake.fail({"pattern": "SUSPEND$", "code": "003001", "times": None})
    with pytest.raises(Rejected):
        planes.begin_stop(id)
    assert [one for one in snowflake.statements if "MONITOR" in one][-1].endswith(f"SET RESOURCE_MONITOR = {back}")
    assert dict(planes.machine(id).parts) == seen


ODD = ["lower", "With Space", 'quo"te', 'x" SUSPEND; DROP TABLE "t', "A%B", "Ä", "A/B"]


@pytest.mark.parametrize("name", ODD)
def test_any_name_is_one_identifier_and_one_order(snowflake: Account, session: Any, name: str) -> None:
    doubled = name.replace('"', '""')
    session.cursor().execute(f'CREATE WAREHOUSE "{doubled}"')
    planes = fleet(snowflake)
    planes.begin_stop(id_of(snowflake, name))
    powers = {one.name: one.power for one in planes.machines(f"snowflake:{snowflake.name}")}
    assert powers == {"LEDGER_WH": "running", name: "deallocated"}


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_that_differ_have_orders_that_differ(one: str, other: str) -> None:
    first, second = (order_key("run", f"snowflake:A-B/{escaped(name)}") for name in (one, other))
    assert (first == second) == (one == other)


@pytest.mark.parametrize(
    ("comment", "tags"),
    [
        ("", {}),
        (";;,", {}),
        ("ledger-exempt", {"ledger-exempt": ""}),
        ("a=1,b=2\nc", {"a": "1", "b": "2", "c": ""}),
        ("ledger-stop=x; ledger-stop=y", {"ledger-stop": "x and y"}),
        ("ledger-stop=x; Ledger-Stop=y", {"ledger-stop": "x and y"}),
        ("ledger-stop=x; Environment: prod", {"ledger-stop": "x", "Environment": "prod"}),
        ("ledger-exempt: 2026-12-31", {"ledger-exempt": "2026-12-31"}),
        ("a=b:c; d:e=f", {"a": "b:c", "d": "e=f"}),
        ("=x", {}),
        ("a==b", {"a": "=b"}),
    ],
)
def test_what_a_comment_says(comment: str, tags: dict[str, str]) -> None:
    assert tags_in(comment) == tags


@given(st.text())
def test_any_comment_can_be_read(comment: str) -> None:
    assert all(key and key == key.strip() for key in tags_in(comment))


def test_one_that_is_not_listed_may_be_a_lost_right_and_is_no_success(snowflake: Account) -> None:
    for call in (fleet(snowflake).machine, fleet(snowflake).begin_stop):
        with pytest.raises(Rejected, match="not granted"):
            call(id_of(snowflake, "HIDDEN"))


FAULTS = {
    "no right": ("003001", Rejected, "MODIFY"),
    "not there": ("002003", Rejected, "OPERATE"),
    "session over": ("390112", Transient, ""),
    "timeout": ("000630", Transient, ""),
    "key": ("390144", Rejected, "public key"),
}


@pytest.mark.parametrize(("code", "expected", "advice"), FAULTS.values(), ids=FAULTS)
def test_one_table_from_snowflakes_errors_to_ours(
    snowflake: Account, code: str, expected: type[Exception], advice: str
) -> None:
    snowflake.fail({"pattern": "ALTER WAREHOUSE", "code": code, "times": None})
    with pytest.raises(expected) as caught:
        fleet(snowflake).begin_stop(id_of(snowflake, "LEDGER_WH"))
    assert advice in str(caught.value)


def test_a_wrong_key_is_told_without_it(snowflake: Account) -> None:
    def refused() -> Any:
        return snowflake.connect(password="very-secret", account="NO-SUCH")

    planes = Fleets([SnowflakeWarehouses(refused, snowflake.name)])
    with pytest.raises((Rejected, Transient)) as caught:
        planes.machine(id_of(snowflake, "LEDGER_WH"))
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("privileges", "monitor", "missing"),
    [
        (["OPERATE", "MONITOR"], "", 0),
        (["OWNERSHIP"], "FROZEN", 0),
        (["MONITOR"], "", 1),
        (["OPERATE"], "FROZEN", 1),
    ],
)
def test_invariant_23_rights_are_read_from_the_grants(privileges: list[str], monitor: str, missing: int) -> None:
    """With a session of the test's own: the stand-in knows no grants."""
    said: list[str] = []
    rows = [(one, "LEDGER") for one in privileges] + [("MODIFY", "SOMEBODY_ELSE")]
    planes = Fleets([SnowflakeWarehouses(lambda: Granting(rows, said), "ACME", monitor=monitor)])
    assert len(planes.missing_rights("snowflake:ACME/WH")) == missing
    assert said == ['SHOW GRANTS ON WAREHOUSE "WH"']


class Granting:
    """A session, and its cursor, that knows the grants on a warehouse."""

    role = "LEDGER"
    description = (("privilege",), ("grantee_name",))

    def __init__(self, rows: list[tuple[str, str]], said: list[str]) -> None:
        self._rows, self._said = rows, said

    def cursor(self) -> Granting:
        return self

    def execute(self, statement: str) -> None:
        self._said.append(statement)

    def fetchall(self) -> list[tuple[str, str]]:
        return self._rows

    def close(self) -> None:
        """Nothing is open."""
