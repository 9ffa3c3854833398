"""What the host's queue listener does: poll, decode, invoke, delete, retry, move to the poison queue."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueServiceClient

from tests.host.functions_host import FunctionsHost, Outcome

LEASE = 600  # while a message is being worked on nobody else sees it
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Handled:
    """One delivery of one message to one function."""

    function: str
    text: str
    attempt: int
    outcome: Outcome


@dataclass(slots=True)
class Pump:
    """Polls every queue the app listens to. `visibility` is host.json's visibilityTimeout in seconds, kept short here.

    Queue names are used as they are, so a test gives each pump a storage account, or a set of queues, of its own.
    """

    host: FunctionsHost
    connection_string: str
    visibility: int = 1
    handled: list[Handled] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in self._listeners():
            self._create(name)

    def run(self, until: Callable[[], object]) -> None:
        """Poll until the condition holds; TimeoutError says what was handled so far."""
        deadline = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > deadline:
                raise TimeoutError("\n".join(f"{one.function} #{one.attempt} {one.text}" for one in self.handled))
            if not self.once():
                time.sleep(0.05)

    def once(self) -> int:
        """One round over all queues; how many messages were handled."""
        return sum(self._round(queue, function) for queue, function in self._listeners().items())

    def put(self, queue: str, text: str) -> None:
        """A message as any client would send it."""
        self._queue(queue).send_message(base64.b64encode(text.encode()).decode())

    def put_raw(self, queue: str, text: str) -> None:
        """A message that is not base64."""
        self._queue(queue).send_message(text)

    def of(self, function: str) -> list[Handled]:
        return [one for one in self.handled if one.function == function]

    def waiting(self, queue: str) -> int:
        return int(self._queue(queue).get_queue_properties().approximate_message_count or 0)

    def _listeners(self) -> dict[str, str]:
        functions = self.host.functions.values()
        triggers = {function.name: function.trigger for function in functions}
        return {str(one["queueName"]): name for name, one in triggers.items() if one["type"] == "queueTrigger"}

    def _round(self, queue: str, function: str) -> int:
        messages = list(self._queue(queue).receive_messages(max_messages=1, visibility_timeout=LEASE))
        for message in messages:
            self._deliver(queue, function, message)
        return len(messages)

    def _deliver(self, queue: str, function: str, message: Any) -> None:
        try:
            text = base64.b64decode(message.content, validate=True).decode()
        except ValueError:
            self._give_up(queue, message)
            return
        outcome = self.host.queue(function, text, attempt=message.dequeue_count, id=message.id)
        self.handled.append(Handled(function, text, message.dequeue_count, outcome))
        if outcome.succeeded:
            self._queue(queue).delete_message(message)
        elif message.dequeue_count >= self.most_tries():
            self._give_up(queue, message)
        else:
            self._queue(queue).update_message(message, visibility_timeout=self.visibility)

    def most_tries(self) -> int:
        settings = json.loads((self.host.app / "host.json").read_text())
        return int(settings["extensions"]["queues"]["maxDequeueCount"])

    def _give_up(self, queue: str, message: Any) -> None:
        """To the poison queue as it is; a poison queue has none of its own, so there it stays, out of sight."""
        if queue.endswith("-poison"):
            return
        self._queue(f"{queue}-poison").send_message(message.content)
        self._queue(queue).delete_message(message)

    def _create(self, name: str) -> None:
        try:
            self._queue(name).create_queue()
        except ResourceExistsError:
            return

    def _queue(self, name: str) -> Any:
        return QueueServiceClient.from_connection_string(self.connection_string).get_queue_client(name)
