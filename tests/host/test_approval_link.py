"""A one-time link opened in a browser: worker library, storage queues and blobs, emulated ARM."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

import wiring
from emulators.arm import Arm
from emulators.scenario import LAB, World
from tests.host.conftest import ALERTS, Service, Start
from tests.host.scene import alert_body, ledger_toml, world_now

KEY = "a key of the test, 32 characters"


@pytest.fixture
def world() -> World:
    return world_now()


@contextmanager
def proposed(start: Start, world: World) -> Iterator[tuple[Service, Arm, dict[str, str]]]:
    """A service with a plan that awaits approval, and the links that decide about it, as paths."""
    name = world.setup.budget_name
    rule = f'[policies.guard]\nbudgets = ["{name}"]\napproval_hours = 1\n[approval]\nurl = "https://ledger.example"\n'
    with Arm(world.cloud) as arm:
        settings = {**arm.environment(), "LEDGER_LIVE": "true", "LEDGER_APPROVAL_KEY": KEY}
        with start(ledger_toml(world.setup) + rule, **settings) as service:
            service.front.request(ALERTS, alert_body(world.setup))
            service.pump.run(until=lambda: service.pump.of("plan_stop"))
            found = wiring.settings(service.env)
            (one,) = wiring.plans(found, service.env)
            links = wiring.links(one.id, "Kim", found, {**service.env})
            paths = {choice: link.removeprefix("https://ledger.example") for choice, link in links.items()}
            yield service, arm, paths


def kinds(service: Service) -> list[str]:
    return [event.kind for event in service.events("alerts/")]


def test_opening_a_link_asks_and_only_the_button_decides_once(start: Start, world: World) -> None:
    with proposed(start, world) as (service, arm, links):
        front = service.front
        for _ in range(3):
            page = front.request(links["approve"], method="GET")
            assert (page.status, (page.headers or {})["content-type"]) == (200, "text/html; charset=utf-8")
            assert b'<form method="post">' in page.body and LAB.encode() in page.body
        shown = {name.lower(): value for name, value in (page.headers or {}).items()}
        assert (shown["cache-control"], shown["x-frame-options"]) == ("no-store", "DENY")
        assert kinds(service)[-1] == "proposed" and service.pump.waiting("plan-stop") == 0
        done = front.request(links["approve"])
        assert (done.status, b"approved" in done.body) == (200, True)
        approved = service.events("alerts/")[-1]
        assert (approved.kind, approved.body["by"]) == ("approved", "Kim")
        assert urlsplit(links["approve"]).query.removeprefix("token=") not in str(approved.body)
        assert [front.request(links[choice]).status for choice in links] == [409, 409]
        assert front.request(links["approve"], method="GET").status == 409
        service.pump.run(until=lambda: service.pump.of("carry_out_order"))
        assert len(arm.asked("/deallocate")) == 1
        assert kinds(service)[-2:] == ["approved", "planned"]


def test_a_rejection_by_link_stops_nothing(start: Start, world: World) -> None:
    with proposed(start, world) as (service, arm, links):
        assert service.front.request(links["reject"]).status == 200
        assert (kinds(service)[-1], service.pump.waiting("plan-stop")) == ("rejected", 0)
        swept = service.host.timer("sweep", past_due=True).events()
        assert [event["sent"] for event in swept if event["event"] == "swept"] == [[]]
        assert arm.asked("/deallocate") == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_no_link_of_ours_changes_nothing(start: Start, world: World, method: str) -> None:
    with proposed(start, world) as (service, _, links):
        path, _, token = links["approve"].partition("?token=")
        payload = token.partition(".")[0]
        for wrong in ("", "x", f"{payload}.", f"{payload}.AAAA", token[:-2], f"{token}A", "%00"):
            assert service.front.request(f"{path}?token={wrong}", method=method).status == 403, wrong
        assert service.front.request(path, method=method).status == 403
        assert kinds(service)[-1] == "proposed"


def test_without_a_key_or_settings_nothing_is_decided_and_nothing_leaks(start: Start) -> None:
    with start("") as service:
        assert service.front.request("/api/plans/decide?token=a.b", method="GET").status == 404
    with start("not [toml", LEDGER_APPROVAL_KEY=KEY) as service:
        answer = service.front.request("/api/plans/decide?token=a.b")
        assert answer.status == 403
        assert KEY not in answer.body.decode() + service.host.printed()
