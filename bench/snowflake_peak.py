"""`python -m bench.snowflake_peak FILE...`, or an ENDPOINT and ACCOUNT of the stand-in: the peak memory in MB.

Snowflake's views, at hand or asked for through the connector, into a scratch ledger, with the split and the gate.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace

import wiring
from bench.peak import peak
from bench.snowflake import NOW, SETTINGS, SOURCE
from ingest.intake import Intake, Request
from ingest.plan import SnowflakeAccess
from ledger.delivery import Period


def main(*places: str) -> int:
    start, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as store:
        intake = _asked(store, *places) if places[0].startswith("http") else _at_hand(store, *places)
    assert [run.outcome for run in intake.runs] == ["committed"], intake
    print(f"{time.perf_counter() - start:.1f} {time.process_time() - cpu:.1f} {peak()}")
    return 0


def _at_hand(store: str, *files: str) -> Intake:
    found = replace(SETTINGS, store_url=store)
    return wiring.take_in(files, Request(source=SOURCE.name), found, {}, NOW, wiring.quiet)


def _asked(store: str, endpoint: str, account: str) -> Intake:
    access = SnowflakeAccess(account, "LEDGER", "LEDGER", "LEDGER_WH", "password")
    source = replace(SOURCE, location="snowflake:", snowflake=access)
    found = replace(SETTINGS, store_url=store, sources=(source,))
    request = Request(source=SOURCE.name, period=Period(2026, 1))
    env = {"LEDGER_SNOWFLAKE_URL": endpoint, "LEDGER_SNOWFLAKE_PASSWORD": "testing"}
    return wiring.take_in(["snowflake:"], request, found, env, NOW, wiring.quiet)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
