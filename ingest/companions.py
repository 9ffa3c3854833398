"""Companions: other views of the provider beside a bill, loaded into the tables that its mapping joins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest import checks
from ingest.checks import Member
from ingest.engine import reading
from ingest.inspection import refuse_bad_values
from ingest.mapping import raw_view
from ingest.mappings import text
from ingest.shapes import Shape, companions, companions_of
from ingest.staging import Staged
from ledger.faults import Fault, Rejected

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ADVICE = "Unload the view again, each row once and in one delivery."


def is_companion(staged: Staged) -> bool:
    return staged.shape.name in {one.name for one in companions()}


def owners(connection: DuckDBPyConnection, staged: Staged) -> tuple[frozenset[str], frozenset[Member]]:
    """The billing accounts and the accounts within them that its rows name. Rejected on values that are wrong.

    A view may be empty where a bill may not: nothing was tagged, no query ran.
    """
    with reading(staged.file.label):
        connection.execute(raw_view(staged.shape, [staged.file]))
        refuse_bad_values(connection, checks.checks(staged.shape))
        rows = connection.execute(checks.owners_sql(staged.shape)).fetchall()
    accounts = frozenset(account for account, _ in rows if account)
    return accounts, frozenset(tuple(map(str, member)) for _, member in rows if member)


def fits(one: Member, other: Member) -> bool:
    """Whether the two may be the same account, as far as they tell."""
    return all(a == b or not a or not b for a, b in zip(one, other, strict=True))


def unclear(member: Member, known: Collection[Member]) -> bool:
    """Whether it may be several of them, because it does not tell all."""
    return not all(member) and sum(fits(member, one) for one in known) > 1


def load(connection: DuckDBPyConnection, shape: Shape, given: Sequence[Staged], members: Collection[Member]) -> None:
    """Fill the tables of these companions, which have to be there and empty; the others stay so.

    What does not tell its account, or its region, is of the one of `members` that it fits. Rejected when rows of a view
    are there twice.
    """
    for companion in companions_of(shape):
        if files := [one.file for one in given if one.shape.name == companion.name]:
            with reading(" and ".join(file.label for file in files)):
                connection.execute(raw_view(companion, files, name="companion"))
                connection.execute(raw_view(replace(companion, nulls=()), files, name="unloaded"))
                _refuse_doubled(connection, companion, members)
                connection.execute(f"INSERT INTO {companion.name} BY NAME {text(companion.select_sql)}")
                if companion.members:
                    _complete(connection, companion.name, members)


def _complete(connection: DuckDBPyConnection, table: str, members: Collection[Member]) -> None:
    """Locators and regions as the bill tells them."""
    accounts, regions = zip(*sorted(members), strict=True)
    # Where the bill tells all, rows that tell all are complete: comparing a big sheet with every account takes long.
    rows = "(t.account = '' OR t.region = '')" if all(map(all, members)) else "true"
    connection.execute(
        f"""UPDATE {table} AS t SET account = m.account, region = m.region
        FROM (SELECT unnest(?::VARCHAR[]) AS account, unnest(?::VARCHAR[]) AS region) AS m
        WHERE {rows} AND t.account IN ('', m.account) AND (t.region IN ('', m.region) OR m.region = '')
            AND (t.account, t.region) IS DISTINCT FROM (m.account, m.region)""",
        [list(accounts), list(regions)],
    )


def _refuse_doubled(connection: DuckDBPyConnection, companion: Shape, members: Collection[Member]) -> None:
    if not companion.key:
        return
    whole = _whole(connection, companion, members)
    if (False,) in connection.execute(checks.may_be_doubled_sql(companion, whole)).fetchall():
        return
    if rows := connection.execute(checks.doubled_sql(companion, whole)).fetchall():
        raise Rejected([_doubled(companion, *row) for row in rows])


def _whole(connection: DuckDBPyConnection, companion: Shape, members: Collection[Member]) -> dict[Member, Member]:
    """What view `companion` tells of accounts otherwise than the bill does, with the account that it is."""
    return completed(connection.execute(checks.places_sql(companion)).fetchall() if companion.members else (), members)


def completed(told: Iterable[Member], members: Collection[Member]) -> dict[Member, Member]:
    """Those of `told` that are not one of `members` as it stands, with the first one that they fit."""
    known = _by_account(members)
    found = ((one, next((member for member in _alike(one, known) if fits(one, member)), one)) for one in told)
    return {one: member for one, member in found if one != member}


def _by_account(members: Collection[Member]) -> dict[str, list[Member]]:
    """In order; an organization has thousands of accounts, and comparing each with each takes longer than the bill."""
    known: dict[str, list[Member]] = {}
    for member in sorted(members):
        known.setdefault(member[0], []).append(member)
    return known


def _alike(one: Member, known: Mapping[str, Sequence[Member]]) -> Iterator[Member]:
    """Those that name the same account or none, in order; all of them, if it names none itself."""
    for account in sorted({"", one[0]}) if one[0] else known:
        yield from known.get(account, ())


def _doubled(companion: Shape, file: str, row: int, other: str, again: int) -> Fault:
    where = f"row {row}" if file == other else f"row {row} of {file}"
    text = f"the row is there twice, in {where} too: the same {', '.join(companion.key)}"
    return Fault(text, ADVICE, "doubled-row", other, again, companion.key[0])
