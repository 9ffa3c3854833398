"""Rules over a commitment's whole term run where the rows cover the term, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from focus.conformance import Question, Rows, check
from focus.fields import described
from focus.report import NOT_CHECKABLE, PASSED, VIOLATED, Report

RULES = ("CAU-EffectiveCost-C-012-C", "DiscountHandling-A-011-C")
FIRST, MIDDLE, LAST = "2026-01-01", "2026-01-16", "2026-02-01"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        found.execute("SET TimeZone = 'UTC'")
        yield found


def charge(category: str, billed: str, effective: str, commitment: str = "c-1") -> str:
    """One row of the first half of January, one of the second: each with half of what is used."""
    status = "'Used'" if category == "Usage" else "NULL"
    spans = [(FIRST, MIDDLE), (MIDDLE, LAST)] if category == "Usage" else [(FIRST, LAST)]
    return " UNION ALL ".join(
        f"SELECT TIMESTAMPTZ '{start} 00:00:00+00' AS ChargePeriodStart,"
        f" TIMESTAMPTZ '{end} 00:00:00+00' AS ChargePeriodEnd,"
        f" '{commitment}' AS CommitmentDiscountId,"
        f" '{category}' AS ChargeCategory, {status} AS CommitmentDiscountStatus,"
        f" {billed}::DECIMAL(38, 24) AS BilledCost, {effective}::DECIMAL(38, 24) / {len(spans)} AS EffectiveCost"
        for start, end in spans
    )


def term(end: str, commitment: str = "c-1") -> str:
    return (
        f"SELECT '{commitment}' AS ContractCommitmentId,"
        f" TIMESTAMPTZ '{FIRST} 00:00:00+00' AS ContractCommitmentPeriodStart,"
        f" TIMESTAMPTZ '{end} 00:00:00+00' AS ContractCommitmentPeriodEnd"
    )


def report(connection: duckdb.DuckDBPyConnection, charges: str, commitments: str) -> Report:
    sql = f"""SELECT *, 'x' AS "#file", row_number() OVER () AS "#row" FROM ({charges})"""
    fields = described(connection.execute(f"DESCRIBE {charges}").fetchall())
    question = Question(applicability="all", commitments=commitments)
    return check(connection, Rows(sql, fields, "x"), question)


def statuses(found: Report) -> set[str]:
    return {one.status for one in found.verdicts if one.rule in RULES}


BOUGHT, USED = charge("Purchase", "100", "0"), charge("Usage", "0", "100")


def test_a_covered_term_that_adds_up_passes(connection: duckdb.DuckDBPyConnection) -> None:
    assert statuses(report(connection, f"{BOUGHT} UNION ALL {USED}", term(LAST))) == {PASSED}


def test_a_covered_term_that_does_not_add_up_is_broken(connection: duckdb.DuckDBPyConnection) -> None:
    assert statuses(report(connection, f"{BOUGHT} UNION ALL {charge('Usage', '0', '99')}", term(LAST))) == {VIOLATED}


@pytest.mark.parametrize("commitments", ["", term("2027-01-01"), term(LAST, "another")])
def test_without_the_whole_term_nothing_is_said(connection: duckdb.DuckDBPyConnection, commitments: str) -> None:
    found = report(connection, f"{BOUGHT} UNION ALL {charge('Usage', '0', '99')}", commitments)
    assert statuses(found) == {NOT_CHECKABLE}


def test_commitments_that_are_left_out_are_told(connection: duckdb.DuckDBPyConnection) -> None:
    other: Any = charge("Purchase", "5", "0", "c-2")
    commitments = f"{term(LAST)} UNION ALL {term('2027-01-01', 'c-2')}"
    found = report(connection, f"{BOUGHT} UNION ALL {USED} UNION ALL {other}", commitments)
    assert statuses(found) == {PASSED}
    assert found.notes == ("1 commitments whose term these rows do not cover were left out",)
