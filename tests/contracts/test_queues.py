"""One suite over every Queue, read back as the Functions host reads: base64 JSON text."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from adapters.queue import LARGEST_BODY, AzureQueue, MemoryQueue
from adapters.storage_account import StorageAccount, account_from
from governance.model import Message, Queue
from ledger.faults import Rejected, Transient
from tests.servers.azurite import Azurite

START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """A queue under test; `take` gives the body of the next message that is due, `wait` lets time pass."""

    queue: Queue
    name: str
    take: Callable[[], object]
    wait: Callable[[timedelta], None]


class Clock:
    def __init__(self) -> None:
        self.now = START

    def wait(self, span: timedelta) -> None:
        self.now += span


def in_memory(name: str) -> Line:
    clock = Clock()
    queue = MemoryQueue(lambda: clock.now)

    def take() -> object:
        message = queue.take(clock.now)
        assert message is None or message.queue == name
        return message and message.body

    return Line(queue, name, take, clock.wait)


def in_azure(account: StorageAccount, name: str) -> Line:
    from azure.storage.queue import TextBase64DecodePolicy

    client = account.queues().get_queue_client(name, message_decode_policy=TextBase64DecodePolicy())

    def take() -> object:
        message = client.receive_message()
        if message is None:
            return None
        client.delete_message(message)
        return json.loads(message.content)

    return Line(AzureQueue(account), name, take, lambda span: time.sleep(span.total_seconds()))


@pytest.fixture(params=["memory", "azure"])
def line(request: pytest.FixtureRequest, unique_name: str) -> Line:
    if request.param == "memory":
        return in_memory(unique_name)
    server: Azurite = request.getfixturevalue("azurite")
    return in_azure(account_from(server.env), unique_name)


def test_messages_come_in_the_order_sent(line: Line) -> None:
    for number in range(3):
        line.queue.send(Message(line.name, {"number": number, "text": "é ✓ <&>"}))
    assert [line.take() for _ in range(4)] == [*({"number": n, "text": "é ✓ <&>"} for n in range(3)), None]


def test_a_delayed_message_waits_and_lets_others_pass(line: Line) -> None:
    line.queue.send(Message(line.name, {"late": True}, timedelta(seconds=2)))
    line.queue.send(Message(line.name, {"late": False}))
    assert line.take() == {"late": False}
    assert line.take() is None
    line.wait(timedelta(seconds=2.5))
    assert line.take() == {"late": True}


def test_a_delay_in_the_past_is_no_delay(line: Line) -> None:
    line.queue.send(Message(line.name, {}, timedelta(seconds=-5)))
    assert line.take() == {}


def test_a_body_arrives_as_json_would_carry_it(line: Line) -> None:
    line.queue.send(Message(line.name, {"pair": (1, 2), "none": None}))
    assert line.take() == {"pair": [1, 2], "none": None}


def test_the_largest_body_passes_and_one_byte_more_is_refused(line: Line) -> None:
    fitting = {"x": "a" * (LARGEST_BODY - len('{"x": ""}'))}
    line.queue.send(Message(line.name, fitting))
    assert line.take() == fitting
    with pytest.raises(Rejected):
        line.queue.send(Message(line.name, {"x": fitting["x"] + "a"}))
    assert line.take() is None


def test_a_delay_beyond_the_service_limit_is_refused(line: Line) -> None:
    with pytest.raises(Rejected):
        line.queue.send(Message(line.name, {}, timedelta(days=7, seconds=1)))


def test_a_queue_that_is_down_is_transient() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}/acc"
        text = f"AccountName=acc;AccountKey=a2V5;QueueEndpoint={endpoint}"
        with pytest.raises(Transient):
            AzureQueue(account_from({"AzureWebJobsStorage": text})).send(Message("plan-stop", {}))


def test_messages_never_expire(azurite: Azurite, unique_name: str) -> None:
    account = account_from(azurite.env)
    AzureQueue(account).send(Message(unique_name, {}))
    [message] = account.queues().get_queue_client(unique_name).peek_messages()
    assert message.expires_on is not None
    assert message.expires_on.year == 9999


def test_memory_tells_what_is_due_next() -> None:
    queue = MemoryQueue(lambda: START)
    assert (len(queue), queue.next_due(), queue.take(START)) == (0, None, None)
    queue.send(Message("b", {}, timedelta(minutes=9)))
    queue.send(Message("a", {}, timedelta(minutes=3)))
    assert (len(queue), queue.next_due()) == (2, START + timedelta(minutes=3))
    assert queue.take(START + timedelta(minutes=2)) is None
    assert [queue.take(START + timedelta(hours=1)) for _ in range(2)] == [
        Message("a", {}, timedelta(minutes=3)),
        Message("b", {}, timedelta(minutes=9)),
    ]
