"""The stand-in for Snowflake does what tests of the product lean on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest

from tests.servers.fixtures import snowflake as snowflake
from tests.servers.fixtures import snowflake_server as snowflake_server
from tests.servers.snowflake import WAREHOUSE, Account, Snowflake

USAGE = "ORGANIZATION_USAGE.USAGE_IN_CURRENCY_DAILY"
ASKED = f"SELECT USAGE_TYPE FROM SNOWFLAKE.{USAGE} ORDER BY USAGE_TYPE"
METERING = "ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"


@pytest.fixture
def session(snowflake: Account) -> Iterator[Any]:
    with snowflake.connect() as connection:
        yield connection.cursor()


def test_rows_arrive_in_parts_and_a_broken_fetch_is_an_error(snowflake_server: Snowflake) -> None:
    account = snowflake_server.open("ORGPARTS-A", chunk_rows=10)
    account.load(USAGE, pa.table({"USAGE_TYPE": [f"{number:03d}" for number in range(35)]}))
    with account.connect() as connection:
        cursor = connection.cursor()
        batches = list(cursor.execute(ASKED).fetch_arrow_batches())
        assert pa.concat_tables(batches)["USAGE_TYPE"].to_pylist() == [f"{number:03d}" for number in range(35)]
        account.fail({"pattern": "usage_in", "kind": "chunks", "after": 1})
        cursor.execute(ASKED)
        with pytest.raises(Exception, match="chunk"):
            list(cursor.fetch_arrow_batches())
    account.close()


def test_accounts_see_nothing_of_each_other(snowflake_server: Snowflake, session: Any) -> None:
    other = snowflake_server.open("ORGOTHER-B", locator="ZZ99999", region="AZURE_WESTEUROPE")
    other.load(USAGE, pa.table({"USAGE_TYPE": ["compute"]}))
    assert session.execute(ASKED).fetchall() == []
    with other.connect() as connection:
        found = connection.cursor().execute("SELECT current_account(), current_region(), current_account_name()")
        assert found.fetchall() == [("ZZ99999", "AZURE_WESTEUROPE", "B")]
    other.close()


def test_faults_come_as_often_as_they_should(snowflake: Account, session: Any) -> None:
    snowflake.fail({"pattern": "USAGE_IN", "code": "000630", "times": 1})
    with pytest.raises(Exception, match="timeout") as raised:
        session.execute(ASKED)
    assert getattr(raised.value, "errno", None) == 630
    assert session.execute(ASKED).fetchall() == []


def test_a_view_that_is_gone_is_missing_or_not_authorised(snowflake: Account, session: Any) -> None:
    snowflake.run(f"DROP TABLE SNOWFLAKE.{USAGE}")
    with pytest.raises(Exception, match="does not exist or not authorized") as raised:
        session.execute(ASKED)
    assert getattr(raised.value, "errno", None) == 2003


def test_a_session_that_forgets_utc_has_other_days(snowflake: Account) -> None:
    snowflake.run(f"INSERT INTO SNOWFLAKE.{METERING} BY NAME SELECT TIMESTAMPTZ '2026-01-01 03:00:00+00' AS START_TIME")
    days = {}
    for zone, parameters in (("utc", {"TIMEZONE": "UTC"}), ("none", {})):
        with snowflake.connect(session_parameters=parameters) as connection:
            found = connection.cursor().execute(f"SELECT START_TIME::DATE FROM SNOWFLAKE.{METERING}").fetchall()
            days[zone] = str(found[0][0])
    assert days == {"utc": "2026-01-01", "none": "2025-12-31"}


def test_warehouses_suspend_by_and_by_and_queries_wake_them(snowflake: Account, session: Any) -> None:
    def state() -> str:
        return str(session.execute(f"SHOW WAREHOUSES LIKE '{WAREHOUSE}'").fetchone()[1])

    snowflake.warehouse(lag=1)
    session.execute(f"ALTER WAREHOUSE {WAREHOUSE} SUSPEND")
    assert [state(), state()] == ["SUSPENDING", "SUSPENDED"]
    with pytest.raises(Exception, match="cannot be suspended"):
        session.execute(f"ALTER WAREHOUSE {WAREHOUSE} SUSPEND")
    session.execute(ASKED)
    assert state() == "STARTED"
    session.execute(f"ALTER WAREHOUSE {WAREHOUSE} SET AUTO_RESUME = FALSE")
    snowflake.warehouse(lag=0)
    session.execute(f"ALTER WAREHOUSE {WAREHOUSE} SUSPEND")
    with pytest.raises(Exception, match="No active warehouse"):
        session.execute(ASKED)


def test_an_account_with_keys_believes_its_key_alone(snowflake_server: Snowflake) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    pair, stranger = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    public = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    account = snowflake_server.open("ORGKEYS-C", keys={"LEDGER": public})

    def sign_in(key: rsa.RSAPrivateKey) -> None:
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        account.connect(password=None, authenticator="SNOWFLAKE_JWT", private_key=der).close()

    sign_in(pair)
    with pytest.raises(Exception, match="JWT token is invalid"):
        sign_in(stranger)
    with pytest.raises(Exception, match="Incorrect username or password"):
        account.connect()
    assert account.logins[0]["authenticator"] == "SNOWFLAKE_JWT"
    account.close()
