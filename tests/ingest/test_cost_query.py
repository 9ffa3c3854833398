"""The Query API through the real SDK: digits as they were sent, pages, links that lead away, answers that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import responses
from azure.core.credentials import AccessToken

from adapters.cost_management import cost_management
from ingest import cost_query_rows
from ingest.azure_scopes import scope_of
from ingest.sources.azure_patience import Patience
from ingest.sources.cost_query import CostQuery
from ledger.delivery import Period
from ledger.faults import Rejected, Transient
from ledger.independent import DayCost

SCOPE = "/subscriptions/11111111-1111-1111-1111-111111111111"
ARM = "https://arm.example.com"
URL = f"{ARM}{SCOPE}/providers/Microsoft.CostManagement/query"
DAYS = (date(2026, 1, 1), date(2026, 2, 1))
TODAY = date(2026, 3, 1)
COLUMNS = ("Cost", "UsageDate", "MeterCategory", "ConsumedService", "Currency")


class SignedIn:
    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("token-of-the-test", 9_999_999_999)


@pytest.fixture
def arm() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def answer(*rows: str, link: str | None = None, columns: tuple[str, ...] = COLUMNS) -> str:
    named = json.dumps([{"name": name, "type": "String"} for name in columns])
    return f'{{"properties": {{"nextLink": {json.dumps(link)}, "columns": {named}, "rows": [{",".join(rows)}]}}}}'


def row(amount: str = "1", day: str = "20260124", category: str = "Storage", currency: str = '"USD"') -> str:
    return f'[{amount}, {day}, "{category}", "microsoft.storage", {currency}]'


def ask(waited: list[int] | None = None, most: int = 1200) -> list[DayCost]:
    times: list[int] = [] if waited is None else waited
    client = cost_management({"LEDGER_ARM_URL": ARM}, Patience(times.append, most), SignedIn())
    return list(CostQuery(client, SCOPE, ARM).daily("ActualCost", DAYS, TODAY))


@pytest.mark.parametrize(
    "digits",
    [
        "0.1000000000000000055",
        "0.1000000000000000055511151231257827",
        "123456789012.123456789012345678",
        "-6.12E-7",
        "7",
    ],
)
def test_an_amount_keeps_every_digit_of_its_text(arm: responses.RequestsMock, digits: str) -> None:
    arm.post(URL, body=answer(row(digits)), content_type="application/json")
    [cost] = ask()
    assert (cost.amount, cost.amount.as_tuple()) == (Decimal(digits), Decimal(digits).as_tuple())


def test_the_question_is_of_whole_days_by_category_and_provider(arm: responses.RequestsMock) -> None:
    arm.post(URL, body=answer(row()), content_type="application/json")
    assert ask() == [DayCost("USD", date(2026, 1, 24), "Storage", Decimal(1))]
    sent = json.loads(str(arm.calls[0].request.body))
    assert sent["timePeriod"] == {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T23:59:59Z"}
    assert [one["name"] for one in sent["dataset"]["grouping"]] == ["MeterCategory", "ConsumedService"]
    assert (sent["type"], sent["dataset"]["granularity"]) == ("ActualCost", "Daily")


def test_a_link_may_write_the_port(arm: responses.RequestsMock) -> None:
    arm.post(URL, body=answer(row("1"), link=f"{URL.replace('.com/', '.com:443/')}?$skiptoken=1"))
    arm.post(URL, body=answer(row("2")))
    assert [cost.amount for cost in ask()] == [1, 2]


def test_pages_are_asked_of_the_service_by_the_link_s_token(arm: responses.RequestsMock) -> None:
    arm.post(URL, body=answer(row("1"), link=f"{URL}?api-version=2019-11-01&$skiptoken=AQ%3D%3D"))
    arm.post(URL, body=answer(row("2")))
    assert [cost.amount for cost in ask()] == [1, 2]
    assert "skiptoken" not in str(arm.calls[0].request.url)
    assert "$skiptoken=AQ%3D%3D&" in str(arm.calls[1].request.url)
    assert arm.calls[0].request.body == arm.calls[1].request.body


@pytest.mark.parametrize(
    "link",
    [
        "https://arm.example.com.attacker.example/query?$skiptoken=1",
        "https://attacker.example/query?$skiptoken=1",
        "https://arm.example.com@attacker.example/query?$skiptoken=1",
        "http://arm.example.com/query?$skiptoken=1",
        "https://arm.example.com:8443/query?$skiptoken=1",
        "//attacker.example/query?$skiptoken=1",
        "/query?$skiptoken=1",
        f"{URL}?api-version=2019-11-01",
        f"{URL}?$skiptoken=1&$skiptoken=2",
        "https://[",
    ],
)
def test_a_next_page_that_lies_elsewhere_is_refused_and_sees_no_token(arm: responses.RequestsMock, link: str) -> None:
    arm.post(URL, body=answer(row(), link=link))
    with pytest.raises(Rejected, match="cost-query"):
        ask()
    assert len(arm.calls) == 1


def test_pages_that_lead_back_end(arm: responses.RequestsMock) -> None:
    arm.post(URL, body=answer(row(), link=f"{URL}?$skiptoken=1"))
    with pytest.raises(Rejected, match="have no end"):
        ask()
    assert len(arm.calls) == 2


@pytest.mark.parametrize("body", ["", answer()])
def test_an_empty_answer_has_no_costs(arm: responses.RequestsMock, body: str) -> None:
    arm.post(URL, body=body, status=200 if body else 204)
    assert ask() == []


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        "{}",
        '{"properties": {"columns": []}}',
        '{"properties": {"columns": {}, "rows": []}}',
        answer("{}"),
        answer("[1]"),
        answer(row('"1"')),
        answer(row("true")),
        answer(row("null")),
        answer(row("NaN")),
        answer(row("Infinity")),
        answer(row("1e400")),
        answer(row("1e-4000")),
        answer(row("1e99999999999999999999")),
        answer(row("9" * 5000)),
        answer(row(day="20260230")),
        answer(row(day="2026.0124")),
        answer(row(day='"2026-01-24"')),
        answer(row(day="true")),
        answer(row(day="20260201")),
        answer(row(day="20251231")),
        answer(row(currency="null")),
        answer(row(currency='"dollars"')),
        answer('[1, 20260124, 7, "x", "USD"]'),
        answer(row(), columns=("Cost", "UsageDate", "MeterCategory", "Currency", "x")),
        answer('[1, 20260124, "Storage", "x", "USD", 2]', columns=(*COLUMNS, "PreTaxCost")),
        "[" * 100_000,
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(body: str) -> None:
    with pytest.raises(Rejected) as raised:
        cost_query_rows.page(body.encode(), DAYS, TODAY)
    assert raised.value.faults[0].rule == "cost-query"


def test_a_charge_without_a_category_is_named_by_its_provider_and_else_azure() -> None:
    rows = [row(category=""), row(category="Unassigned"), '[1, 20260124, null, "", "usd"]']
    costs = cost_query_rows.page(answer(*rows).encode(), DAYS, TODAY).costs
    assert [(cost.service, cost.currency) for cost in costs] == [
        ("microsoft.storage", "USD"),
        ("microsoft.storage", "USD"),
        ("Azure", "USD"),
    ]


def test_the_last_three_days_may_still_change() -> None:
    body = answer(*(row(day=f"202601{day}") for day in (10, 11, 12, 13)))
    costs = cost_query_rows.page(body.encode(), DAYS, date(2026, 1, 13)).costs
    assert [cost.estimated for cost in costs] == [False, True, True, True]


def costs(*names: str) -> list[DayCost]:
    return [DayCost("USD", DAYS[0], name, Decimal(1)) for name in names]


def test_names_that_differ_in_case_are_the_ledger_s() -> None:
    named = cost_query_rows.alike(costs("Microsoft.Compute"), costs("microsoft.compute", "Storage"))
    assert named == {"microsoft.compute": "Microsoft.Compute", "Storage": "Storage"}


def test_names_of_one_side_alone_are_compared_with_those_of_the_other_as_one() -> None:
    named = cost_query_rows.alike(costs("Storage", "Microsoft"), costs("storage", "microsoft.capacity", "Azure"))
    together = "Azure | Microsoft | microsoft.capacity"
    assert named == {"storage": "Storage", **dict.fromkeys(("Microsoft", "microsoft.capacity", "Azure"), together)}
    assert cost_query_rows.alike(costs("Storage", "Microsoft"), costs("Storage")) == {"Storage": "Storage"}


def test_no_day_to_come_is_asked_for() -> None:
    assert cost_query_rows.asked_days(Period(2026, 1), date(2026, 1, 5)) == (date(2026, 1, 1), date(2026, 1, 6))
    assert cost_query_rows.askable(Period(2025, 1), date(2026, 1, 31))
    assert not cost_query_rows.askable(Period(2024, 12), date(2026, 1, 31))
    assert not cost_query_rows.askable(Period(2026, 2), date(2026, 1, 31))


def test_a_storm_of_throttling_is_waited_out_by_the_longest_header(arm: responses.RequestsMock) -> None:
    quota = "x-ms-ratelimit-microsoft.costmanagement-{}-retry-after"
    for seconds in (7, 9):
        headers = {quota.format("qpu"): str(seconds), quota.format("entity"): "3", "Retry-After": "1"}
        arm.post(URL, status=429, json={"error": {"code": "429", "message": "Too many requests"}}, headers=headers)
    arm.post(URL, body=answer(row()))
    waited: list[int] = []
    assert len(ask(waited)) == 1
    assert waited == [7, 9]


def test_more_patience_than_there_is_means_later(arm: responses.RequestsMock) -> None:
    arm.post(URL, status=429, headers={"Retry-After": "600"})
    with pytest.raises(Transient) as raised:
        ask(most=60)
    assert raised.value.retry_after == timedelta(seconds=600)


def test_lack_of_rights_names_the_role(arm: responses.RequestsMock) -> None:
    arm.post(URL, status=403, json={"error": {"code": "RBACAccessDenied", "message": "no"}})
    with pytest.raises(Rejected, match="Cost Management Reader"):
        ask()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("subscriptions/1/", "subscription"),
        ("/subscriptions/1/resourcegroups/x", "resource group"),
        ("/subscriptions/1/resourceGroups/Größe_(1).a-b", "resource group"),
        ("/providers/Microsoft.Management/managementGroups/m", "management group"),
        ("/providers/Microsoft.Billing/billingAccounts/70000042", "enrollment"),
        ("/providers/microsoft.billing/billingaccounts/a-b:c_2019-05-31", "billing account"),
        ("/providers/Microsoft.Billing/billingAccounts/a:b/billingProfiles/P", "billing profile"),
        ("/providers/Microsoft.Billing/billingAccounts/a:b/billingProfiles/P/invoiceSections/S", "invoice section"),
        ("/providers/Microsoft.Billing/billingAccounts/7/departments/1", "department"),
        ("/providers/Microsoft.Billing/billingAccounts/7/enrollmentAccounts/1", "enrollment account"),
        ("/providers/Microsoft.Billing/billingAccounts/a:b/customers/c", "customer"),
    ],
)
def test_a_scope_is_known_by_its_id(text: str, kind: str) -> None:
    assert scope_of(text).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/subscriptions",
        "/subscriptions/a?b=c",
        "/subscriptions/..",
        "/subscriptions/a/b",
        "x y",
        "/subscriptions/{a}",
        "/subscriptions/%2e",
    ],
)
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="azure-scope"):
        scope_of(text)
