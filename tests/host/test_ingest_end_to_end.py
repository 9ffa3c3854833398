"""From a folder of bills to committed partitions: the timer plans, the queue carries, a partition per message."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import settings
import wiring
from tests.host.conftest import Service, Start
from tests.host.functions_host import ROOT

SAMPLES = ROOT / "samples"
TOML = """
[sources.aws-main]
provider = "aws"
currency = "USD"
location = "{bills}/aws"

[sources.azure-main]
provider = "azure"
currency = "USD"
location = "{bills}/azure"

[sources.by-hand]
provider = "snowflake"
"""


@pytest.fixture
def bills(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLES, tmp_path / "bills"))


@pytest.fixture
def service(start: Start, bills: Path) -> Iterator[Service]:
    with start(TOML.format(bills=bills)) as running:
        running.pump.visibility = 0
        yield running


def planned(service: Service) -> list[str]:
    outcome = service.host.timer("plan_ingest")
    assert outcome.succeeded, outcome.error
    return [str(queue) for queue in outcome.events()[-1]["sent"]]


def partitions(service: Service) -> set[tuple[str, str]]:
    at = wiring.store(service.env["LEDGER_STORE"], service.env)
    return {(one.source, str(one.period)) for one in wiring.book(at).partitions()}


def test_new_bills_become_partitions_and_then_nothing_is_due(service: Service) -> None:
    assert planned(service) == ["ingest-partition"] * 2
    service.pump.run(until=lambda: len(service.pump.of("ingest_partition")) == 2)
    assert [one.outcome.error for one in service.pump.handled] == ["", ""]
    assert partitions(service) == {("aws-main", "2026-01"), ("azure-main", "2026-01")}
    assert planned(service) == []


def test_the_ledger_on_blobs_gives_the_samples_figures(service: Service) -> None:
    planned(service)
    service.pump.run(until=lambda: len(service.pump.of("ingest_partition")) == 2)
    document = wiring.summary(settings.load(None, service.env), service.env)
    assert document["currencies"]["USD"]["total"] == "81.50"  # type: ignore[index]  # a JSON document


def test_a_message_delivered_again_changes_nothing(service: Service) -> None:
    planned(service)
    service.pump.run(until=lambda: len(service.pump.of("ingest_partition")) == 2)
    again = service.host.queue("ingest_partition", service.pump.handled[0].text, attempt=2)
    assert again.events()[-1]["run"]["outcome"] == "unchanged"


def test_the_run_report_carries_the_invocations_id(service: Service) -> None:
    planned(service)
    service.pump.run(until=lambda: service.pump.of("ingest_partition"))
    run = service.pump.handled[0].outcome.events()[-1]["run"]
    names = wiring.store(service.env["LEDGER_STORE"], service.env).names("runs/")
    assert f"runs/{run['source']}/2026-01/{run['id']}.json" in names


def test_a_source_that_cannot_be_read_does_not_hold_up_the_others(service: Service, bills: Path) -> None:
    shutil.rmtree(bills / "aws")
    outcome = service.host.timer("plan_ingest")
    told = {event["event"]: event for event in outcome.events()}
    assert (told["source-not-planned"]["source"], told["ingest-planned"]["sent"]) == ("aws-main", ["ingest-partition"])


def test_half_a_pair_is_not_due_until_the_other_half_comes(service: Service, bills: Path) -> None:
    [other] = (bills / "azure").glob("*amortized*")
    other.rename(bills / other.name)
    planned(service)
    service.pump.run(until=lambda: service.pump.of("ingest_partition"))
    assert planned(service) == []
    (bills / other.name).rename(other)
    assert planned(service) == ["ingest-partition"]


def test_a_message_of_no_known_partition_fails(service: Service) -> None:
    bodies = [{}, {"source": "aws-main"}, {"source": "no", "period": "2026-01"}, {"source": "aws-main", "period": 1}]
    outcomes = [service.host.queue("ingest_partition", json.dumps(body)) for body in bodies]
    assert [outcome.error.partition(":")[0] for outcome in outcomes] == ["Rejected"] * len(bodies)


def test_a_month_whose_files_are_gone_is_said_to_be_gone(service: Service) -> None:
    outcome = service.host.queue("ingest_partition", '{"source": "aws-main", "period": "2019-01"}')
    assert outcome.events()[-1]["run"]["outcome"] == "gone"
    assert partitions(service) == set()


def test_an_unreadable_bill_is_tried_and_given_up_while_the_ledger_keeps_its_version(
    service: Service, bills: Path
) -> None:
    planned(service)
    service.pump.run(until=lambda: len(service.pump.of("ingest_partition")) == 2)
    file = next((bills / "aws").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:5000])
    service.pump.put("ingest-partition", '{"source": "aws-main", "period": "2026-01"}')
    service.pump.run(until=lambda: service.pump.of("ingest_partition_poison"))
    assert partitions(service) == {("aws-main", "2026-01"), ("azure-main", "2026-01")}
    assert "unreadable-parquet" in service.pump.of("ingest_partition")[-1].outcome.error
    assert service.pump.handled[-1].outcome.succeeded
    assert datetime.now(UTC) > service.events("refused/")[0].at


def test_invariant_21_deliveries_are_noted_once_and_one_that_stays_away_is_told(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    planned(service)
    service.pump.run(until=lambda: len(service.pump.of("ingest_partition")) == 2)
    again = service.pump.of("ingest_partition")[0]
    assert service.host.queue("ingest_partition", again.text, attempt=2).succeeded
    assert [event.kind for event in service.events("feeds/")] == ["delivered"] * 2
    wiring.look_about(service.env, datetime.now(UTC) + timedelta(hours=35))
    assert "cost-data-stale" not in caplog.text
    for hours in (37, 38):
        wiring.look_about(service.env, datetime.now(UTC) + timedelta(hours=hours))
    stale = [event.body["source"] for event in service.events("feeds/") if event.kind == "stale"]
    assert sorted(map(str, stale)) == ["aws-main", "azure-main"]
    assert caplog.text.count("cost-data-stale") == 2
