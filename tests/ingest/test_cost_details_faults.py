"""Cost Details reports through the real SDK over HTTPS, with everything that may go wrong on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.cost_management import cost_management
from emulators.arm import Arm
from emulators.blob_links import Blobs
from emulators.cloud import Cloud
from emulators.control_plane import Reply
from emulators.cost_reports import BOM, CostReports, reporting
from emulators.faults import Fault, broken, denied, dropped
from ingest.azure_scopes import scope_of
from ingest.offers import Offer
from ingest.sources.azure_links import Links
from ingest.sources.azure_patience import Patience
from ingest.sources.cost_details import CostDetails
from ledger.delivery import Period
from ledger.faults import Rejected, Transient

ENROLLMENT = "/providers/Microsoft.Billing/billingAccounts/70000042"
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
JANUARY, FEBRUARY = Period(2026, 1), Period(2026, 2)
PARTS = {"ActualCost": [b"a,b\n1,2\n", b"a,b\n3,4\n"], "AmortizedCost": [b"a,b\n5,6\n"]}


@dataclass
class Asking:
    """What a source is asked on a day, with the seconds that it waited."""

    arm: Arm
    reports: CostReports
    folder: Path
    scope: str = ENROLLMENT
    now: datetime = NOW
    most: int = 1200
    waited: list[int] = field(default_factory=list)

    def source(self, period: Period = JANUARY, basis: str = "amortized") -> CostDetails:
        patience = Patience(self.waited.append, self.most)
        client = cost_management(self.arm.environment(), patience)
        links = Links(self.waited.append, str(self.arm.ca_file))
        return CostDetails(client, scope_of(self.scope), period, lambda: self.now, patience, links, basis)

    def offer(self, period: Period = JANUARY, basis: str = "amortized") -> Offer:
        [offer] = self.source(period, basis).offers()
        return offer

    def fetched(self, period: Period = JANUARY) -> list[tuple[str, bytes]]:
        """(role, bytes) of every part, and no draft beside them."""
        source, found = self.source(period), []
        for number, file in enumerate(source.offers()[0].files):
            target = self.folder / f"{number}.csv"
            source.download(file, target)
            found.append((file.role, target.read_bytes()))
        assert sorted(self.folder.iterdir()) == sorted(self.folder / f"{number}.csv" for number in range(len(found)))
        return found

    @property
    def whole(self) -> list[tuple[str, bytes]]:
        roles = {"ActualCost": "actual", "AmortizedCost": "amortized"}
        return [(roles[metric], BOM + part) for metric, parts in PARTS.items() for part in parts]


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    with reporting(Cloud(NOW)) as (arm, reports):
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        for month in ("2026-01", "2026-02"):
            for scope in (ENROLLMENT, SUBSCRIPTION):
                for metric, parts in PARTS.items():
                    reports.give(scope, metric, month, *parts)
        folder = tmp_path / "fetched"
        folder.mkdir()
        yield Asking(arm, reports, folder)


def test_both_reports_come_whole_with_the_role_that_was_asked(asking: Asking) -> None:
    assert asking.fetched() == asking.whole


def test_the_links_get_no_token_and_nothing_of_ours(asking: Asking) -> None:
    asking.fetched()
    assert len(asking.reports.blobs.got) == 3
    for headers in asking.reports.blobs.got:
        assert {name.lower() for name in headers} <= {"host", "accept-encoding", "user-agent", "connection"}


def test_a_closed_month_of_an_enrollment_is_asked_for_as_it_was_billed(asking: Asking) -> None:
    asking.offer()
    told = {"billingPeriod": "202601"}
    assert asking.reports.questions == [{"metric": metric, **told} for metric in PARTS]


@pytest.mark.parametrize(
    ("scope", "period", "span"),
    [
        (ENROLLMENT, FEBRUARY, ("2026-02-01", "2026-02-10")),
        (SUBSCRIPTION, FEBRUARY, ("2026-02-01", "2026-02-10")),
        (SUBSCRIPTION, JANUARY, ("2026-01-01", "2026-01-31")),
    ],
)
def test_other_months_are_asked_for_day_by_day_both_ends_included(
    asking: Asking, scope: str, period: Period, span: tuple[str, str]
) -> None:
    asking.scope = scope
    asking.offer(period)
    spans = [question["timePeriod"] for question in asking.reports.questions]
    assert spans == [{"start": span[0], "end": span[1]}] * 2


def test_with_actual_costs_alone_the_other_report_is_not_made(asking: Asking) -> None:
    offer = asking.offer(basis="actual")
    assert [file.role for file in offer.files] == ["actual", "actual"]
    assert [question["metric"] for question in asking.reports.questions] == ["ActualCost"]


@pytest.mark.parametrize(
    ("scope", "period", "words"),
    [
        ("/providers/Microsoft.Management/managementGroups/all", JANUARY, "management group"),
        (f"{SUBSCRIPTION}/resourceGroups/rg", JANUARY, "resource group"),
        (SUBSCRIPTION, Period(2024, 12), "last 13 months.*export"),
        (SUBSCRIPTION, Period(2026, 3), "not begun"),
    ],
)
def test_what_azure_does_not_make_is_refused_unasked(asking: Asking, scope: str, period: Period, words: str) -> None:
    asking.scope = scope
    with pytest.raises(Rejected, match=words):
        asking.offer(period)
    assert asking.arm.cost.asked == []


def test_thirteen_months_ago_is_still_asked_for(asking: Asking) -> None:
    with pytest.raises(Rejected, match="no data"):
        asking.offer(Period(2025, 1))
    assert len(asking.reports.questions) == 1


def test_a_report_is_looked_at_when_azure_says_so_by_the_longest(asking: Asking) -> None:
    asking.reports.headers = {"Retry-After": "7", "x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after": "11"}
    asking.reports.looks = 2
    asking.offer(basis="actual")
    assert asking.waited == [11, 11, 11]


def test_without_a_word_of_azure_it_is_looked_at_every_15_seconds(asking: Asking) -> None:
    asking.reports.headers = {}
    asking.offer(basis="actual")
    assert asking.waited == [15, 15]


@pytest.mark.parametrize("headers", [{"Retry-After": "30"}, {"Retry-After": "0"}])
def test_a_report_that_is_never_made_comes_later(asking: Asking, headers: dict[str, str]) -> None:
    asking.reports.looks, asking.reports.headers, asking.most = 10**6, headers, 100
    with pytest.raises(Transient, match=r"2026-01, actual cost: there is no time left"):
        asking.offer()
    assert sum(asking.waited) <= 100


@pytest.mark.parametrize("said", ["NoDataFound", "204"])
@pytest.mark.parametrize(("period", "fault"), [(JANUARY, Rejected), (FEBRUARY, Transient)])
def test_no_data_is_unknown_and_not_zero(asking: Asking, said: str, period: Period, fault: type[Exception]) -> None:
    asking.reports.says = [said]
    with pytest.raises(fault, match="found no data"):
        asking.offer(period)


def test_a_report_that_failed_comes_later_with_its_reason(asking: Asking) -> None:
    asking.reports.says = ["Completed", "Failed"]
    with pytest.raises(Transient, match=r"amortized cost.*ReportFailed, The report could not be made"):
        asking.offer()


@pytest.mark.parametrize("call", ["generatecostdetailsreport", "costdetailsoperationresults"])
def test_a_busy_service_is_waited_for_by_the_longest_header(asking: Asking, call: str) -> None:
    names = ("qpu", "entity", "tenant", "client")
    headers = {f"x-ms-ratelimit-microsoft.costmanagement-{name}-retry-after": str(n) for n, name in enumerate(names)}
    asking.arm.cloud.faults.add(Fault(call, status=429, code="429", headers={**headers, "Retry-After": "1"}))
    assert asking.offer().files
    assert 3 in asking.waited


@pytest.mark.parametrize("call", ["generatecostdetailsreport", "costdetailsoperationresults"])
@pytest.mark.parametrize("fault", [dropped, broken])
def test_a_cut_or_broken_answer_is_asked_for_again(asking: Asking, call: str, fault: object) -> None:
    asking.arm.cloud.faults.add(fault(call))  # type: ignore[operator]  # one of two makers of faults
    assert asking.fetched() == asking.whole


@pytest.mark.parametrize("call", ["generatecostdetailsreport", "costdetailsoperationresults"])
def test_without_the_right_the_role_that_is_needed_is_named(asking: Asking, call: str) -> None:
    asking.arm.cloud.faults.add(denied(call))
    with pytest.raises(Rejected, match=r"2026-01, actual cost: access is denied.*Cost Management Reader"):
        asking.offer()


def test_a_report_that_lies_elsewhere_gets_no_token(asking: Asking) -> None:
    asking.reports.headers = {"Retry-After": "0"}
    with Arm(Cloud(NOW)) as other:

        def elsewhere(_: object) -> Reply:
            return Reply(202, None, {"Location": f"{other.url}/x?api-version=1", "Retry-After": "0"})

        asking.arm.cost.handlers["generatecostdetailsreport"] = elsewhere
        with pytest.raises(Rejected, match="another place"):
            asking.offer()
        assert other.requests == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"blobs": [{"blobLink": "http://127.0.0.1/x?sig=topsecret", "byteCount": 3}]}, "no https address"),
        ({"blobs": [{"blobLink": "file:///etc/passwd", "byteCount": 3}]}, "no https address"),
        ({"blobs": [{"blobLink": "https://me:topsecret@127.0.0.1/x", "byteCount": 3}]}, "no https address"),
        ({"blobs": [{"blobLink": "https://[::1/x?sig=topsecret", "byteCount": 3}]}, "no https address"),
        ({"blobs": [{"blobLink": "https://127.0.0.1/x y?sig=topsecret", "byteCount": 3}]}, "no https address"),
        ({"blobs": [{"blobLink": "https://127.0.0.1/x?sig=topsecret"}]}, "without its link or its length"),
        ({"blobs": [{"blobLink": "https://127.0.0.1/x?sig=topsecret", "byteCount": True}]}, "its length"),
        ({"blobs": ["https://127.0.0.1/x?sig=topsecret"]}, "its length"),
        ({"blobCount": 7}, "blobCount"),
        ({"byteCount": 7}, "byteCount"),
        ({"blobs": []}, "no data"),
        ({"blobs": "none"}, "no data"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(asking: Asking, changes: dict[str, object], words: str) -> None:
    asking.reports.changes = changes
    with pytest.raises(Rejected, match=words) as caught:
        asking.offer()
    assert "topsecret" not in str(caught.value)


def test_a_status_that_is_not_known_comes_later(asking: Asking) -> None:
    asking.reports.says = ["Thinking"]
    with pytest.raises(Transient, match="thinking"):
        asking.offer()


def test_a_cut_download_goes_on_where_it_broke_off(asking: Asking) -> None:
    asking.reports.blobs.cut = 2
    assert asking.fetched() == asking.whole
    ranges = [headers["Range"] for headers in asking.reports.blobs.got if "Range" in headers]
    assert ranges == ["bytes=5-", "bytes=8-"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_blob_host_is_waited_for(asking: Asking, status: int) -> None:
    asking.reports.blobs.answers = [(status, {"Retry-After": "9"})]
    assert asking.fetched() == asking.whole
    assert 9 in asking.waited


def test_a_connection_that_is_cut_again_and_again_comes_later(asking: Asking) -> None:
    asking.reports.blobs.cut = 99
    with pytest.raises(Transient, match=r"part 1: \d+ of 11 bytes came in 4 connections"):
        asking.fetched()


@pytest.mark.parametrize("size", [10, 12])
def test_a_part_of_another_length_than_told_comes_later(asking: Asking, size: int) -> None:
    link = asking.reports.blobs.put(BOM + b"a,b\n1,2\n")
    asking.reports.changes = {"blobs": [{"blobLink": link, "byteCount": size}], "blobCount": 1, "byteCount": size}
    with pytest.raises(Transient, match=r"longer than the 10|11 of 12 bytes"):
        asking.fetched()
    assert list(asking.folder.iterdir()) == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(asking: Asking, status: int) -> None:
    with Blobs() as other:
        asking.reports.blobs.answers = [(status, {"Location": other.put(b"x")})]
        with pytest.raises(Rejected, match=f"answers {status}"):
            asking.fetched()
        assert other.got == []


def test_links_past_their_time_are_not_asked_and_the_report_is_made_again(asking: Asking) -> None:
    source = asking.source()
    [offer] = source.offers()
    asking.now = datetime.now(UTC) + timedelta(hours=2)
    asking.reports.lifetime = timedelta(days=1)
    source.download(offer.files[0], asking.folder / "a")
    assert (asking.folder / "a").read_bytes() == BOM + PARTS["ActualCost"][0]
    assert (len(asking.reports.blobs.got), len(asking.reports.questions)) == (1, 3)


def test_links_that_went_bad_between_two_parts_are_made_again_and_what_was_read_is_held_against_it(
    asking: Asking,
) -> None:
    source = asking.source()
    [offer] = source.offers()
    source.download(offer.files[0], asking.folder / "a")
    asking.reports.blobs.expire()
    source.download(offer.files[1], asking.folder / "b")
    assert (asking.folder / "b").read_bytes() == BOM + PARTS["ActualCost"][1]
    assert sorted(path.name for path in asking.folder.iterdir()) == ["a", "b"]
    assert len(asking.reports.questions) == 3


@pytest.mark.parametrize(
    "parts", [[b"a,b\n1,9\n", b"a,b\n3,4\n"], [b"a,b\n1,2\n"], [b"a,b\n1,2\n", b"a,b\n3,4\n5,6\n"]]
)
def test_a_report_that_changed_meanwhile_comes_later(asking: Asking, parts: list[bytes]) -> None:
    source = asking.source()
    [offer] = source.offers()
    source.download(offer.files[0], asking.folder / "a")
    asking.reports.blobs.expire()
    asking.reports.give(ENROLLMENT, "ActualCost", "2026-01", *parts)
    with pytest.raises(Transient, match="changed while it was being read"):
        source.download(offer.files[1], asking.folder / "b")
    assert [path.name for path in asking.folder.iterdir()] == ["a"]


def test_links_that_go_bad_twice_come_later(asking: Asking) -> None:
    source = asking.source()
    [offer] = source.offers()
    asking.reports.blobs.answers = [(403, {}), (404, {})]
    with pytest.raises(Transient, match="no longer good"):
        source.download(offer.files[0], asking.folder / "a")
    assert len(asking.reports.questions) == 3


def test_a_report_is_made_again_once_and_not_for_each_part(asking: Asking) -> None:
    source = asking.source()
    [offer] = source.offers()
    asking.reports.blobs.expire()
    source.download(offer.files[0], asking.folder / "a")
    asking.reports.blobs.expire()
    with pytest.raises(Transient, match="made again once already"):
        source.download(offer.files[1], asking.folder / "b")
    assert len(asking.reports.questions) == 3


def test_no_link_is_in_any_log_or_message(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asking.reports.blobs.cut = 99
    with pytest.raises(Transient) as caught:
        asking.fetched()
    secrets = [path.partition("sig=")[2] for path in asking.reports.blobs.held]
    chain = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert len(secrets) == 3 and not any(one in caplog.text + chain for one in secrets)
