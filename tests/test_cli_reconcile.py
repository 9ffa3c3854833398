"""`ledger reconcile` against Cost Explorer over HTTP: agreement, differences, what cannot be compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import cli
from tests.bills import Ledger, cur2, snowflake
from tests.clock import closed_month
from tests.ingest.conftest import config as config
from tests.ingest.conftest import ledger as ledger

CLOSED = closed_month()  # so that Cost Explorer still tells it
MONTH = str(CLOSED)
START = f"{MONTH}-01"
LINE = {
    "bill_billing_period_start_date": START,
    "line_item_usage_start_date": f"{MONTH}-05",
    "line_item_usage_end_date": f"{MONTH}-06",
}
Answer = tuple[int, dict[str, Any]]


@dataclass
class Explorer:
    """What Cost Explorer answers, page by page, and what it was asked."""

    pages: list[Answer] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def tells(
        self, *groups: tuple[str, str], day: str = f"{MONTH}-05", estimated: bool = False, more: str = ""
    ) -> None:
        metrics = [{"Keys": [service], "Metrics": _metrics(amount)} for service, amount in groups]
        result = {"TimePeriod": {"Start": day, "End": day}, "Total": {}, "Groups": metrics, "Estimated": estimated}
        self.pages.append((200, {"ResultsByTime": [result], **({"NextPageToken": more} if more else {})}))


def _metrics(amount: str) -> dict[str, dict[str, str]]:
    return {name: {"Amount": amount, "Unit": "USD"} for name in ("UnblendedCost", "NetUnblendedCost")}


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Explorer]:
    """The service on loopback, where every client of AWS is led."""
    known = Explorer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, body = known.pages[min(len(known.asked), len(known.pages)) - 1]
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the test's standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        place = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in {**place, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}.items():
            monkeypatch.setenv(name, value)
        yield known
        server.shutdown()


Run = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def run(ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`ledger reconcile` with a bill of 2.50 and 1.00 on one day in the ledger."""
    product = {"product": {"product_name": "Amazon Elastic Compute Cloud"}}
    other = {"product": {"product_name": "Amazon Simple Storage Service"}, "line_item_product_code": "AmazonS3"}
    bill = cur2(
        tmp_path / "bill.parquet",
        {**LINE, **product, "line_item_unblended_cost": 2.5},
        {**LINE, **other, "line_item_unblended_cost": 1.0, "line_item_usage_type": "TimedStorage-ByteHrs"},
    )
    assert ledger.ingest(bill).outcomes == ["committed"]

    def ask(*arguments: str, provider: str = "aws") -> tuple[int, dict[str, Any], str]:
        place = ["--store", ledger.store, "--config", str(ledger.config), "--json"]
        code = cli.main(["reconcile", "--provider", provider, *arguments, *place])
        out, errors = capsys.readouterr()
        return code, json.loads(out or "{}"), errors

    return ask


def differences(document: dict[str, Any]) -> Sequence[tuple[str | None, str]]:
    [month] = document["months"]
    return [(gap["service"], gap["difference"]) for gap in month["differences"]]


def test_equal_costs_agree_and_the_price_of_asking_is_told(explorer: Explorer, run: Run) -> None:
    explorer.tells(("EC2 - Other", "0.5"), ("Amazon Elastic Compute Cloud - Compute", "2.0"), more="next")
    explorer.tells(("Amazon Simple Storage Service", "1.0000000000"))
    code, document, _ = run()
    [month] = document["months"]
    assert (code, differences(document), month["requests"]) == (0, [], 2)
    assert month["totals"] == {"ledger": {"USD": "3.500000000000000000000000"}, "independent": {"USD": "3.5000000000"}}
    assert [asked.get("NextPageToken") for asked in explorer.asked] == [None, "next"]
    assert explorer.asked[0]["TimePeriod"] == {"Start": START, "End": f"{CLOSED.next()}-01"}


def test_a_difference_is_listed_by_service_and_day_and_ends_with_1(explorer: Explorer, run: Run) -> None:
    explorer.tells(("Amazon Elastic Compute Cloud - Compute", "2.5"), ("Amazon Simple Storage Service", "1.25"))
    code, document, _ = run()
    gaps = {(service, float(amount)) for service, amount in differences(document)}
    assert (code, gaps) == (1, {(None, -0.25), ("Amazon Simple Storage Service", -0.25)})
    assert run("--tolerance", "0.25")[0] == 0


def test_an_open_day_is_shown_and_does_not_fail(explorer: Explorer, run: Run) -> None:
    explorer.tells(("Amazon Elastic Compute Cloud - Compute", "9"), estimated=True)
    code, document, _ = run()
    assert (code, len(differences(document)) > 0) == (0, True)


def test_a_month_that_is_no_longer_told_is_said_to_be_left_out(explorer: Explorer, run: Run) -> None:
    code, document, _ = run("--period", "2019-01")
    assert (code, document["months"], explorer.asked) == (0, [], [])
    assert "2019-01" in document["left_out"][0]


def test_the_metric_is_the_bill_s_own(explorer: Explorer, run: Run) -> None:
    explorer.tells(("Amazon Elastic Compute Cloud - Compute", "2.5"), ("Amazon Simple Storage Service", "1"))
    _, document, _ = run()
    assert (document["months"][0]["metric"], explorer.asked[0]["Metrics"]) == ("UnblendedCost", ["UnblendedCost"])


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "AccessDeniedException", 2),
        (400, "ExpiredTokenException", 2),
        (400, "DataUnavailableException", 3),
        (429, "ThrottlingException", 3),
    ],
)
def test_what_aws_refuses_is_told_by_what_to_do(
    status: int, code: str, expected: int, explorer: Explorer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    explorer.pages.append((status, {"__type": code, "message": "no"}))
    assert run()[0] == expected


def _no_amount(page: dict[str, Any]) -> None:
    page["ResultsByTime"][0]["Groups"][0]["Metrics"]["UnblendedCost"]["Amount"] = "12,5"


def _no_day(page: dict[str, Any]) -> None:
    page["ResultsByTime"][0]["TimePeriod"]["Start"] = "yesterday"


def _no_unit(page: dict[str, Any]) -> None:
    del page["ResultsByTime"][0]["Groups"][0]["Metrics"]["UnblendedCost"]["Unit"]


def _more_keys(page: dict[str, Any]) -> None:
    page["ResultsByTime"][0]["Groups"][0]["Keys"].append("another")


@pytest.mark.parametrize("spoil", [_no_amount, _no_day, _no_unit, _more_keys])
def test_an_answer_that_cannot_be_read_is_refused(
    spoil: Callable[[dict[str, Any]], None], explorer: Explorer, run: Run
) -> None:
    explorer.tells(("Amazon Elastic Compute Cloud - Compute", "2.5"))
    spoil(explorer.pages[0][1])
    code, document, _ = run()
    assert (code, document["faults"][0]["rule"]) == (2, "cost-explorer")


def test_other_providers_are_refused_with_what_is_possible(run: Run) -> None:
    code, document, _ = run(provider="snowflake")
    assert (code, document["faults"][0]["rule"]) == (2, "reconcile")
    assert "aws, azure" in document["faults"][0]["advice"]


def test_months_of_another_provider_alone_are_not_asked_for(
    explorer: Explorer, run: Run, ledger: Ledger, tmp_path: Path
) -> None:
    january = ledger.ingest(snowflake(tmp_path / "january.csv"))
    assert january.document["runs"][0]["period"] == "2026-01"
    explorer.tells(("Amazon Elastic Compute Cloud - Compute", "2.5"), ("Amazon Simple Storage Service", "1"))
    code, document, _ = run()
    assert (code, [month["period"] for month in document["months"]], len(explorer.asked)) == (0, [MONTH], 1)


def test_the_metric_is_read_from_the_source_s_own_reports(
    explorer: Explorer, run: Run, ledger: Ledger, tmp_path: Path
) -> None:
    net = {**LINE, "line_item_net_unblended_cost": 0.5, "bill_payer_account_id": "999999999999"}
    ledger.ingest(cur2(tmp_path / "other.parquet", net), "--source", "aws-111122223333-eu")
    explorer.tells(("Amazon Elastic Compute Cloud - Compute", "2.5"), ("Amazon Simple Storage Service", "1"))
    code, document, _ = run("--source", "aws-111122223333")
    assert (code, document["months"][0]["metric"]) == (0, "UnblendedCost")
