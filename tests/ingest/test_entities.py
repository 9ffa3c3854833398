"""Who provides, hosts and invoices: from the names in the bill, by the table and what ledger.toml adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

import wiring
from focus.upgrade import parties
from ingest.words import fold
from tests.bills import Ledger
from tests.exports import export, lines
from tests.mapped import Row, focus_rows

AWS_INC, EXAMPLE = "Amazon Web Services, Inc.", "Example Software GmbH"
ENTITIES = ("ServiceProviderName", "HostProviderName", "InvoiceIssuerName", "ProviderName", "PublisherName")


def entities(row: Row) -> tuple[str | None, ...]:
    return tuple(row[name] for name in ENTITIES)


def rows_of(folder: Path, name: str, *changes: Mapping[str, str]) -> list[Row]:
    first, *_ = lines(name)
    rows = [{**first, **change, "SubAccountName": str(number)} for number, change in enumerate(changes)]
    found = focus_rows([(export(folder / "bill.csv", name, rows), "")], folder)
    return sorted(found, key=lambda row: int(row["SubAccountName"]))


def test_the_cases_of_the_specification(tmp_path: Path) -> None:
    """Native; a seller's product that runs in our account; one that we cannot see; taxes and support have no host."""
    seller, unseen = {"PublisherName": EXAMPLE}, {"RegionId": "", "ResourceId": ""}
    cases = [
        ({}, ("AWS", "AWS", AWS_INC, "AWS", AWS_INC)),
        ({"InvoiceIssuerName": "", "PublisherName": ""}, ("AWS", "AWS", "AWS", "AWS", "AWS")),
        ({"InvoiceIssuerName": "amazon web services"}, ("AWS", "AWS", "AWS", "AWS", AWS_INC)),
        (seller, (EXAMPLE, "AWS", AWS_INC, "AWS", EXAMPLE)),
        ({**seller, **unseen}, (EXAMPLE, EXAMPLE, AWS_INC, "AWS", EXAMPLE)),
        ({"ChargeCategory": "Tax"}, ("AWS", None, AWS_INC, "AWS", AWS_INC)),
        (
            {"ServiceCategory": "Management and Governance", "ServiceName": "AWS Support (Business)", **unseen},
            ("AWS", None, AWS_INC, "AWS", AWS_INC),
        ),
    ]
    found = rows_of(tmp_path, "aws_1_0", *(change for change, _ in cases))
    assert [entities(row) for row in found] == [expected for _, expected in cases]


def test_snowflake_is_hosted_where_its_view_says(tmp_path: Path) -> None:
    hosts = {"Aws": "AWS", "Azure": "Microsoft", "Gcp": "Google", "": None}
    lines = ({"HostProviderName": name, "RegionId": "", "RegionName": ""} for name in hosts)
    found = rows_of(tmp_path, "snowflake_1_3_view", *lines)
    assert [row["HostProviderName"] for row in found] == list(hosts.values())
    assert {entities(row)[0] for row in found} == {"Snowflake"}


def test_a_file_that_names_its_entities_is_believed(tmp_path: Path) -> None:
    newer = {"ServiceProviderName": "Example Reseller", "HostProviderName": "Amazon"}
    first, *_ = lines("aws_1_2")
    [row] = focus_rows([(export(tmp_path / "bill.csv", "aws_1_2", [{**first, **newer}]), "")], tmp_path)
    assert entities(row)[:2] == ("Example Reseller", "AWS")


def test_a_partner_provides_what_the_cloud_hosts(ledger: Ledger, tmp_path: Path) -> None:
    partner = dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), "Example Partner")
    first, *_ = lines("azure_1_0r2")
    bill = export(tmp_path / "bill.csv", "azure_1_0r2", [{**first, **partner, "RegionId": "", "ResourceId": ""}])
    assert ledger.ingest(bill).fault["rule"] == "unknown-provider"
    ledger.config.write_text('[resellers]\n"example partner" = "azure"\n')
    assert ledger.ingest(bill).document["runs"][0]["provider"] == "azure"
    book = wiring.book(wiring.store(ledger.store, {}))
    found = duckdb.execute(f"SELECT {', '.join(ENTITIES)} FROM ({book.relation_sql(book.files())})").fetchall()
    assert found == [("Example Partner", "Microsoft", "Example Partner", "Example Partner", "Example Partner")]


def test_names_of_the_settings_come_first_and_make_another_delivery(ledger: Ledger, tmp_path: Path) -> None:
    path = export(tmp_path / "bill.csv", "aws_1_0")
    assert ledger.ingest(path).outcomes == ["committed"]
    ledger.config.write_text(f'[entities]\n"{AWS_INC}" = "Amazon"\n" EXAMPLE software GmbH" = "Example"\n')
    assert ledger.ingest(path).outcomes == ["committed"]
    assert ledger.ingest(path).outcomes == ["unchanged"]
    book = wiring.book(wiring.store(ledger.store, {}))
    columns = ", ".join(ENTITIES[:3])
    found = duckdb.execute(f"SELECT DISTINCT {columns} FROM ({book.relation_sql(book.files())})").fetchall()
    assert set(found) == {("Amazon", "AWS", "Amazon"), ("Example", "Example", "AWS"), ("Amazon", None, "Amazon")}


def test_names_do_not_touch_bills_that_name_nobody(ledger: Ledger, tmp_path: Path) -> None:
    from tests.bills import cur2

    path = cur2(tmp_path / "bill.parquet")
    assert ledger.ingest(path).outcomes == ["committed"]
    ledger.config.write_text('[entities]\nAWS = "Amazon"\n')
    assert ledger.ingest(path).outcomes == ["unchanged"]


def test_a_known_name_is_known_once_and_of_one_cloud() -> None:
    names = [fold(party["name"]) for party in parties()]
    assert len(names) == len(set(names))
    assert {party["kind"] for party in parties()} == {"brand", "company"}
    clouds = {(party["entity"], party["provider"]) for party in parties()}
    assert clouds == {("AWS", "aws"), ("Microsoft", "azure"), ("Snowflake", "snowflake"), ("Google", "")}


@pytest.mark.parametrize("entity", sorted({party["entity"] for party in parties()}))
def test_an_entity_is_known_by_its_own_name(entity: str) -> None:
    assert [party["kind"] for party in parties() if party["name"] == entity] == ["brand"]
