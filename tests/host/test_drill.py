"""Drills through the worker library: the service calls its own webhook over HTTP, and each dead link is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emulators import faults
from emulators.arm import Arm
from emulators.scenario import World
from governance import drill, streams
from tests.channels import inbox
from tests.host.conftest import ALERTS, Service, Start
from tests.host.functions_host import Outcome
from tests.host.scene import alert_body, ledger_toml, world_now
from tests.host.street import street

KEY = "a drill key of the test, 32 characters"
LINKS = ["begun", "webhook", "intake", "queue", "plan", "listing", "order", "read-back", "rights"]
DEALLOCATE = "Microsoft.Compute/virtualMachines/deallocate/action"


@pytest.fixture
def world() -> World:
    return world_now()


@pytest.fixture
def arm(world: World) -> Iterator[Arm]:
    with Arm(world.cloud) as running:
        yield running


@contextmanager
def drilled(
    start: Start,
    arm: Arm,
    world: World,
    *,
    path: str = ALERTS,
    minutes: int = 20,
    more: str = "",
    **settings: str,
) -> Iterator[Service]:
    """The service with both switches on; it is to find itself by its address."""
    toml = f"ledger.drill_minutes = {minutes}\n{ledger_toml(world.setup)}{more}"
    with street() as outside:
        own = {"LEDGER_DRILL_KEY": KEY, "LEDGER_DRILL_URL": outside.address(path)}
        with start(toml, **arm.environment(), LEDGER_LIVE="true", **own, **settings) as service:
            outside.front = service.front
            yield service


def swept(service: Service) -> Outcome:
    outcome = service.host.timer("sweep")
    assert outcome.succeeded, outcome.error
    return outcome


def proofs(service: Service) -> list[Any]:
    return [event for event in service.events("proofs/") if event.kind in drill.OVER]


def told(outcome: Outcome, name: str) -> list[tuple[int, dict[str, Any]]]:
    """Level and event of what the app logged under that name."""
    pairs = zip([log.level for log in outcome.logs if log.text.startswith("{")], outcome.events(), strict=True)
    return [(level, event) for level, event in pairs if event["event"] == name]


INFORMATION, ERROR = 2, 4  # of the host's log levels


def test_invariant_23_a_drill_proves_each_link_and_changes_nothing(start: Start, world: World, arm: Arm) -> None:
    with drilled(start, arm, world) as service:
        sent = service.host.timer("drill")
        assert [one["status"] for one in sent.events()[-1]["drills"]] == [202]
        service.pump.run(until=lambda: service.pump.of("verify_order"))
        outcome = swept(service)
        (proof,) = proofs(service)
        assert proof.kind == drill.PASSED
        assert [(one["link"], one["state"]) for one in proof.body["links"]] == [
            *((name, "proven") for name in LINKS),
            ("notice", "untried"),
        ]
        assert all(one["at"] for one in proof.body["links"] if one["state"] == "proven")
        assert [level for level, _ in told(outcome, "drill-passed")] == [INFORMATION]
        assert [event.kind for event in service.events("drill-orders/")] == ["planned", "dry-run"]
        assert {request.method for request in arm.requests} == {"GET"}
        assert all(service.record.verify(stream) == [] for stream in service.record.streams())


def test_invariant_23_a_drill_uses_up_nothing_of_a_real_alert(start: Start, world: World, arm: Arm) -> None:
    """Both switches are on: the alert that comes after it stops the machine, and no ceiling has counted the drill."""
    with drilled(start, arm, world) as service:
        service.host.timer("drill")
        service.pump.run(until=lambda: service.pump.of("carry_out_order"))
        assert (service.events("alerts/"), service.events("orders/"), service.events("days/")) == ([], [], [])
        answer = service.front.request(ALERTS, alert_body(world.setup))
        assert (answer.status, answer.json()["dry_run"], "duplicate" in answer.json()) == (202, False, False)
        service.pump.run(until=lambda: len(service.pump.of("carry_out_order")) == 2)
    assert len(arm.asked("/deallocate")) == 1


def failure(service: Service) -> tuple[str, str]:
    """The link that the sweep names; it does so once, as an error."""
    outcome = swept(service)
    (proof,) = proofs(service)
    assert proof.kind == drill.FAILED
    ((level, event),) = told(outcome, "drill-failed")
    assert (level, event["link"]) == (ERROR, proof.body["link"])
    assert told(swept(service), "drill-failed") == []
    return str(proof.body["link"]), str(proof.body["reason"])


def test_invariant_23_an_expired_key_fails_loudly(start: Start, world: World, arm: Arm) -> None:
    with drilled(start, arm, world, path="/api/alerts/budget?code=expired", minutes=0) as service:
        service.host.timer("drill")
        link, reason = failure(service)
    assert link == "webhook"
    assert reason.startswith("401")
    assert "expired" not in reason.replace("not accepted any more", "")


def test_invariant_23_a_lost_role_fails_loudly(start: Start, world: World, arm: Arm) -> None:
    world.cloud.faults.add(faults.denied("list"))
    with drilled(start, arm, world, minutes=0) as service:
        service.host.timer("drill")
        service.pump.run(until=lambda: service.pump.of("plan_stop"))
        link, reason = failure(service)
    assert link == "listing"
    assert "403" in reason


def test_invariant_23_a_right_to_stop_that_is_gone_fails_loudly(start: Start, world: World, arm: Arm) -> None:
    world.cloud.denied.add(DEALLOCATE)
    with drilled(start, arm, world, minutes=0) as service:
        service.host.timer("drill")
        service.pump.run(until=lambda: service.pump.of("verify_order"))
        link, reason = failure(service)
    assert link == "rights"
    assert DEALLOCATE in reason


# The functions of a drill in their order, and the link that is dead when one of them and what follows does not run.
CHAIN = {"plan_stop": "plan", "carry_out_order": "order", "verify_order": "read-back"}


@pytest.mark.parametrize("dead", CHAIN)
def test_invariant_23_a_dead_queue_function_fails_loudly(start: Start, world: World, arm: Arm, dead: str) -> None:
    with drilled(start, arm, world, minutes=0) as service:
        service.host.timer("drill")
        for name in list(CHAIN)[: list(CHAIN).index(dead)]:
            deliver(service, name)
        found, reason = failure(service)
    assert found == CHAIN[dead]
    assert dead.replace("_", "-") in reason


CHANNEL = '[notices.ops]\nkind = "teams"\nurl = "TEAMS_URL"\n'


@pytest.mark.parametrize("alive", [True, False])
def test_invariant_23_notices_that_nobody_reads_are_a_dead_link(
    start: Start, world: World, arm: Arm, alive: bool
) -> None:
    with inbox() as box, drilled(start, arm, world, minutes=0, more=CHANNEL, TEAMS_URL=box.url) as service:
        service.host.timer("drill")
        for name in CHAIN:
            deliver(service, name)
        if alive:
            service.pump.run(until=lambda: service.pump.of("send_notice"))
            swept(service)
            assert [event.kind for event in proofs(service)] == [drill.PASSED]
            assert proofs(service)[0].body["links"][-1]["state"] == "proven"
        else:
            found, reason = failure(service)
            assert (found, "send-notice" in reason) == ("notice", True)
        assert box.got == []


def test_invariant_23_people_are_told_of_a_dead_link(start: Start, world: World, arm: Arm) -> None:
    path = "/api/alerts/budget?code=expired"
    with inbox() as box, drilled(start, arm, world, path=path, minutes=0, more=CHANNEL, TEAMS_URL=box.url) as service:
        service.host.timer("drill")
        failure(service)
        service.pump.run(until=lambda: box.got)
        (card,) = box.bodies()
    assert b"DRILL FAILED" in card
    assert b"webhook" in card


def deliver(service: Service, function: str) -> None:
    """What that function would have been given, without the queues: the others are not polled."""
    for message in waiting(service, "plan-stop") if function == "plan_stop" else orders(service):
        outcome = service.host.queue(function, message)
        assert outcome.succeeded, outcome.error


def orders(service: Service) -> list[str]:
    firsts = [service.record.events(stream)[0] for stream in service.record.streams("drill-orders/")]
    return [json.dumps(streams.carry_out(one.stream.partition("/")[2], one.body).body) for one in firsts]


def waiting(service: Service, queue: str) -> list[str]:
    """The run that is waiting there, as its message: nobody polls the queue."""
    runs = [stream.partition("/")[2] for stream in service.record.streams("drills/")]
    assert service.pump.waiting(queue) == len(runs)
    return ['{"alert": "' + run + '"}' for run in runs]


def test_a_message_of_a_drill_that_was_given_up_is_named(start: Start, world: World, arm: Arm) -> None:
    with drilled(start, arm, world, minutes=0) as service:
        service.host.timer("drill")
        (message,) = waiting(service, "plan-stop")
        assert service.host.queue("plan_stop_poison", message).succeeded
        assert failure(service) == ("plan", "given up by queue plan-stop")


def test_nothing_is_settled_before_its_time(start: Start, world: World, arm: Arm) -> None:
    with drilled(start, arm, world) as service:
        service.host.timer("drill")
        swept(service)
        assert proofs(service) == []


def test_with_a_secure_webhook_the_signature_is_the_token_of_a_drill_alone(
    start: Start, world: World, arm: Arm
) -> None:
    guid = "11111111-1111-4111-8111-111111111111"
    with drilled(start, arm, world, LEDGER_WEBHOOK_TENANT=guid, LEDGER_WEBHOOK_AUDIENCE=f"api://{guid}") as service:
        assert [one["status"] for one in service.host.timer("drill").events()[-1]["drills"]] == [202]
        assert service.front.request(ALERTS, alert_body(world.setup)).status == 401
        assert service.events("alerts/") == []


def test_without_a_key_there_are_no_drills_and_nothing_signed_is_taken(start: Start, world: World) -> None:
    with start(ledger_toml(world.setup)) as service:
        assert service.host.timer("drill").events()[-1]["drills"] == []
        answer = service.front.request(
            ALERTS, alert_body(world.setup), headers={"x-ledger-drill": "t=1,v1=" + "0" * 64}
        )
        assert (answer.status, service.events("")) == (403, [])


def test_a_forged_drill_is_refused_and_starts_nothing(start: Start, world: World, arm: Arm) -> None:
    with drilled(start, arm, world) as service:
        for header in ("t=1,v1=" + "0" * 64, "x", "t=1", "t=9999999999,v1=" + "f" * 64):
            answer = service.front.request(ALERTS, alert_body(world.setup), headers={"x-ledger-drill": header})
            assert answer.status == 403
        assert (service.events(""), service.pump.waiting(streams.PLAN_STOP)) == ([], 0)
