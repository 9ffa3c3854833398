"""POST /api/alerts/budget through the worker library, over real queues and blobs."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulators.scenario import Setup
from tests.host.conftest import ALERTS, Hosting, Service, Start
from tests.host.functions_host import ROOT
from tests.host.scene import alert_body, ledger_toml
from tests.servers.azurite import Azurite

SETUP = Setup()


@pytest.fixture
def service(start: Start) -> Iterator[Service]:
    with start(ledger_toml(SETUP)) as running:
        yield running


@pytest.fixture
def dead_endpoint() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/devstoreaccount1"


def test_an_alert_is_taken_and_its_planning_enqueued(service: Service) -> None:
    answer = service.front.request(ALERTS, alert_body(SETUP))
    assert (answer.status, service.pump.waiting("plan-stop")) == (202, 1)
    assert (answer.headers or {})["content-type"] == "application/json"
    assert [event.kind for event in service.events("alerts/")] == ["received", "enqueued"]
    assert answer.events()[-1]["status"] == 202


def test_the_same_alert_again_is_a_duplicate(service: Service) -> None:
    body = alert_body(SETUP)
    first, second = (service.front.request(ALERTS, body) for _ in range(2))
    assert (first.status, second.status, second.json()["duplicate"]) == (202, 202, True)
    assert service.pump.waiting("plan-stop") == 1


def test_alerts_at_once_are_one_alert(service: Service) -> None:
    body = alert_body(SETUP)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.front.request(ALERTS, body), range(8)))
    # A writer that finds the stream too busy says so; its caller sends again.
    assert {answer.status for answer in answers} <= {202, 503}
    assert service.front.request(ALERTS, body).json()["duplicate"] is True
    assert [event.kind for event in service.events("alerts/")] == ["received", "enqueued"]


def test_what_is_no_alert_is_refused_and_recorded(service: Service) -> None:
    bodies = [b"", b"not JSON", b"[]", b'{"schemaId": "other"}', b'{"a":' * 10_000, b"\xff\xfe"]
    answers = [service.front.request(ALERTS, body) for body in bodies]
    assert all(400 <= answer.status < 500 and answer.json()["refused"] for answer in answers)
    assert [event.kind for event in service.events("refused/")] == ["refused"] * len(bodies)
    assert service.pump.waiting("plan-stop") == 0


def test_a_megabyte_is_too_large(service: Service) -> None:
    assert service.front.request(ALERTS, b" " * 1_000_000).status == 413


def test_the_front_asks_for_the_key_the_method_and_the_route(service: Service) -> None:
    front, path = service.front, "/api/alerts/budget"
    assert front.request(path).status == 401
    assert front.request(f"{path}?code=wrong").status == 401
    assert front.request(path, headers={"x-functions-key": ALERTS.partition("=")[2]}).status == 400
    assert front.request(ALERTS, method="GET").status == 404
    assert front.request("/api/elsewhere").status == 404


def test_a_dead_queue_is_503_and_the_redelivered_alert_is_accepted_once(
    start: Start, storage: Azurite, dead_endpoint: str
) -> None:
    body, broken = alert_body(SETUP), storage.connection_string.replace(storage.queue_endpoint, dead_endpoint)
    with start(ledger_toml(SETUP), AzureWebJobsStorage=broken) as service:
        assert service.front.request(ALERTS, body).status == 503
    with start(ledger_toml(SETUP)) as service:
        again, third = (service.front.request(ALERTS, body) for _ in range(2))
        assert (again.status, "duplicate" in again.json(), third.json()["duplicate"]) == (202, False, True)
        assert service.pump.waiting("plan-stop") == 1


def test_a_dead_store_is_503(start: Start, storage: Azurite, dead_endpoint: str) -> None:
    broken = storage.connection_string.replace(storage.blob_endpoint, dead_endpoint)
    with start(ledger_toml(SETUP), AzureWebJobsStorage=broken) as service:
        answer = service.front.request(ALERTS, alert_body(SETUP))
    assert answer.status == 503


@pytest.mark.parametrize(
    ("toml", "settings"),
    [
        ("not [toml", {}),
        ("", {"LEDGER_CONFIG": "/no/such/ledger.toml"}),
        (
            "",
            {
                "AzureWebJobsStorage": "AccountName=a;AccountKey=SECRET==;BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a"
            },
        ),
        ("", {"AzureWebJobsStorage": "", "LEDGER_STORE": "az://UPPER"}),
    ],
)
def test_wrong_settings_are_503_and_leak_nothing(start: Start, toml: str, settings: dict[str, str]) -> None:
    with start(toml, **settings) as service:
        answer = service.front.request(ALERTS, alert_body(SETUP))
        assert answer.status == 503
        assert set(answer.json()) <= {"error", "fault", "retry_after_seconds"}
        assert not any("SECRET" in log.text for log in (*answer.logs, *service.host.logs()))
        assert "SECRET" not in service.host.printed() + answer.body.decode()


def test_an_app_that_cannot_import_its_own_modules_still_answers_503(hosting: Hosting, tmp_path: Path) -> None:
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "wiring.py").write_text("raise ImportError('SECRET')\n")
    (tmp_path / "adapters.py").write_text("raise ImportError('SECRET')\n")
    with hosting(tmp_path) as host:
        answer = host.http("budget_alert", alert_body(SETUP))
    assert (answer.status, answer.json()) == (503, {"error": "the alert could not be taken now; send it again"})


def test_log_events_are_one_json_object_a_line(service: Service) -> None:
    answer = service.front.request(ALERTS, b"not JSON")
    own = [log for log in answer.logs if log.category == "ledger"]
    assert [json.loads(log.text)["event"] for log in own] == ["alert-refused", "alert-answered"]
