"""A message nobody can handle: tried five times, moved to its poison queue, and its end recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.host.conftest import Service, Start

QUEUES = ("ingest-partition", "plan-stop", "carry-out-order", "verify-order", "undo-run", "start-order")


@pytest.fixture
def service(start: Start) -> Iterator[Service]:
    with start() as running:
        running.pump.visibility = 0
        yield running


def test_after_five_tries_a_message_is_given_up_and_recorded(service: Service) -> None:
    names = {queue: queue.replace("-", "_") for queue in QUEUES}
    for queue in QUEUES:
        service.pump.put(queue, json.dumps({"order": "unknown", "alert": "unknown", "of": queue}))
    service.pump.run(until=lambda: all(service.pump.of(f"{name}_poison") for name in names.values()))
    assert all([one.attempt for one in service.pump.of(name)] == [1, 2, 3, 4, 5] for name in names.values())
    lines = [f"{queue}{end}" for queue in QUEUES for end in ("", "-poison")]
    assert [service.pump.waiting(line) for line in lines] == [0] * len(lines)
    recorded = sorted((event.kind, str(event.body["queue"])) for event in service.events("refused/"))
    assert recorded == sorted(("abandoned", queue) for queue in QUEUES)


def test_a_message_that_is_no_json_object_ends_there_too(service: Service) -> None:
    texts = ["not JSON", "[1]", '"text"', ""]
    for text in texts:
        service.pump.put("plan-stop", text)
    service.pump.run(until=lambda: len(service.pump.of("plan_stop_poison")) == len(texts))
    refusals = {one.outcome.error.partition(":")[0] for one in service.pump.of("plan_stop")}
    assert (len(service.pump.of("plan_stop")), refusals) == (5 * len(texts), {"ValueError", "JSONDecodeError"})
    assert [event.kind for event in service.events("refused/")] == ["abandoned"] * len(texts)


def test_what_is_not_base64_never_reaches_the_function(service: Service) -> None:
    service.pump.put_raw("plan-stop", "{not base64}")
    while service.pump.once():
        pass
    assert service.pump.handled == []
    assert [service.pump.waiting(queue) for queue in ("plan-stop", "plan-stop-poison")] == [0, 1]


def test_the_same_poison_twice_is_recorded_once(service: Service) -> None:
    for _ in range(2):
        assert service.host.queue("verify_order_poison", '{"order": "lost"}').succeeded
    assert len(service.events("refused/")) == 1
