"""An alert, a plan and a message to a channel: worker library, storage emulator, emulated ARM, loopback inbox."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from emulators.arm import Arm
from emulators.cloud import MACHINE
from emulators.scenario import LAB, World
from tests.channels import Inbox, inbox
from tests.host.conftest import ALERTS, Service, Start
from tests.host.scene import alert_body, ledger_toml, world_now

CHANNEL = '[notices.ops]\nkind = "teams"\nurl = "TEAMS_URL"\n'
APPROVAL_KEY = "a key of the test, 32 characters"


@pytest.fixture
def world() -> World:
    return world_now()


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as running:
        yield running


@contextmanager
def started(start: Start, world: World, url: str, more: str = "") -> Iterator[Service]:
    with Arm(world.cloud) as arm:
        settings = {**arm.environment(), "LEDGER_LIVE": "true", "TEAMS_URL": url, "LEDGER_APPROVAL_KEY": APPROVAL_KEY}
        with start(ledger_toml(world.setup) + CHANNEL + more, **settings) as service:
            yield service


def texts(card: bytes) -> str:
    content = json.loads(card)["attachments"][0]["content"]
    return " | ".join(run["text"] for block in content["body"] for run in block["inlines"])


def notices(service: Service) -> list[str]:
    return [event.kind for event in service.events("notices/")]


def test_an_alert_leads_to_a_plan_a_stop_and_one_message_to_teams(start: Start, world: World, box: Inbox) -> None:
    with started(start, world, box.url) as service:
        pump = service.pump
        service.front.request(ALERTS, alert_body(world.setup))
        pump.run(until=lambda: pump.of("carry_out_order"))
        world.cloud.advance(timedelta(minutes=10))
        pump.run(until=lambda: box.got)
        pump.run(until=lambda: notices(service)[-1:] == ["sent"])
        (card,) = box.bodies()
        assert "Budget dev-monthly: 1 machine stopped and read back" in texts(card) and LAB in texts(card)
        service.host.timer("sweep")
        pump.run(until=lambda: pump.waiting("send-notice") == 0)
        (_, switched) = box.bodies()
        assert "Switched on: machines of dev-monthly" in texts(switched)
        assert notices(service) == ["queued", "trying", "sent"] * 2
        assert "top-secret" not in service.host.printed() + str([event.body for event in service.events("")])


def test_invariant_25_a_channel_that_hangs_or_refuses_stops_no_action(start: Start, world: World, box: Inbox) -> None:
    box.hold = threading.Event()
    with started(start, world, box.url) as service:
        pump = service.pump
        service.front.request(ALERTS, alert_body(world.setup))
        pump.run(until=lambda: pump.of("carry_out_order"))
        world.cloud.advance(timedelta(minutes=10))
        pump.run(until=lambda: service.events("orders/")[-1].kind == "verified")
        assert world.cloud.power(world.setup.id(MACHINE, LAB)) == "deallocated"
        pump.run(until=lambda: notices(service)[-1:] == ["deferred"])
        assert [one for one in pump.handled if not one.outcome.succeeded] == []
        assert pump.waiting("send-notice") == 1
        box.hold.set()
        box.hold = None
        pump.run(until=lambda: notices(service)[-1:] == ["sent"])


def test_a_settings_fault_of_a_channel_is_in_the_record_and_stops_no_action(start: Start, world: World) -> None:
    with started(start, world, "http://hooks.example/?sig=top-secret") as service:
        pump = service.pump
        service.front.request(ALERTS, alert_body(world.setup))
        pump.run(until=lambda: pump.of("carry_out_order"))
        world.cloud.advance(timedelta(minutes=10))
        pump.run(until=lambda: notices(service)[-1:] == ["given-up"])
        assert service.events("orders/")[-1].kind == "verified"
        (given_up,) = [event for event in service.events("notices/") if event.kind == "given-up"]
        assert "TEAMS_URL is no https address" in str(given_up.body["reason"])
        assert "top-secret" not in service.host.printed() + str(given_up.body)
        (sent,) = [one for one in pump.of("send_notice") if "notice-given-up" in str(one.outcome.events())]
        assert "top-secret" not in str(sent.outcome.events())


def test_a_plan_that_awaits_approval_comes_with_links_that_work_and_are_nowhere_else(
    start: Start, world: World, box: Inbox
) -> None:
    rule = f'[policies.guard]\nbudgets = ["{world.setup.budget_name}"]\napproval_hours = 1\n'
    more = f'approver = "Kim"\n{rule}[approval]\nurl = "https://ledger.example"\n'
    with started(start, world, box.url, more) as service:
        service.front.request(ALERTS, alert_body(world.setup))
        service.pump.run(until=lambda: notices(service)[-1:] == ["sent"])
        card = json.loads(box.bodies()[0])["attachments"][0]["content"]
        links = {one["title"]: one["url"].removeprefix("https://ledger.example") for one in card["actions"]}
        assert set(links) == {"Approve", "Reject"}
        token = links["Approve"].partition("token=")[2]
        kept = str([event.body for event in service.events("")]) + service.host.printed()
        assert token not in kept and APPROVAL_KEY not in kept
        assert service.front.request(links["Approve"]).status == 200
        approved = service.events("alerts/")[-1]
        assert (approved.kind, approved.body["by"]) == ("approved", "Kim")


def test_a_threshold_without_action_is_told_at_once(start: Start, world: World, box: Inbox) -> None:
    rule = f'[policies.guard]\nbudgets = ["{world.setup.budget_name}"]\naction = "notice"\n'
    with started(start, world, box.url, rule) as service:
        assert "notice" in service.front.request(ALERTS, alert_body(world.setup)).json()
        service.pump.run(until=lambda: notices(service)[-1:] == ["sent"])
        assert "80 % of 1.00 USD, nothing is stopped" in texts(box.bodies()[0])


def test_a_lost_question_for_news_is_made_good_by_the_sweep(start: Start, world: World, box: Inbox) -> None:
    """The pause was turned from a terminal: nobody asked for news."""
    import wiring

    with started(start, world, box.url) as service:
        wiring.pause(True, "Kim", "release", wiring.settings(service.env), service.env, datetime.now(UTC))
        service.host.timer("sweep")
        service.pump.run(until=lambda: notices(service).count("sent") == 2)
        told = sorted(texts(card).partition(":")[0] for card in box.bodies())
        assert told == ["Paused", "Switched on"]


def test_without_channels_nothing_is_asked_for(start: Start, world: World) -> None:
    with Arm(world.cloud) as arm, start(ledger_toml(world.setup), **arm.environment()) as service:
        service.front.request(ALERTS, alert_body(world.setup))
        service.pump.run(until=lambda: service.pump.of("carry_out_order"))
        service.host.timer("sweep")
        assert service.pump.waiting("send-notice") == 0 and service.events("outcomes/") == []
