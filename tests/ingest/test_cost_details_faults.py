"""Cost Details reports through the real SDK over HTTPS: what is asked for, and what may go wrong on the way."""

from __future__ import annotations

import pytest

from emulators.arm import Arm
from emulators.cloud import Cloud
from emulators.control_plane import Reply
from emulators.faults import Fault, broken, denied, dropped
from ledger.delivery import Period
from ledger.faults import Rejected, Transient
from tests.asked_reports import ENROLLMENT, FEBRUARY, JANUARY, NOW, PARTS, SUBSCRIPTION, Asking


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


def test_a_result_that_lies_elsewhere_gets_no_token_either(asking: Asking) -> None:
    with Arm(Cloud(NOW)) as other:
        own = f"{asking.arm.url}/subscriptions/x/providers/Microsoft.CostManagement/done?api-version=1"
        begun = {"Azure-AsyncOperation": own, "Location": f"{other.url}/x?api-version=1", "Retry-After": "0"}
        asking.arm.cost.handlers["generatecostdetailsreport"] = lambda _: Reply(202, None, begun)
        asking.arm.cost.handlers["done"] = lambda _: Reply(200, {"status": "Succeeded"})
        with pytest.raises(Rejected, match="another place"):
            asking.offer()
