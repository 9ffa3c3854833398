"""Sending queue messages: to Azure Storage queues, or in memory for the command line and the demo."""

from __future__ import annotations

import heapq
import itertools
import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adapters.storage_account import StorageAccount, azure_faults
from governance.model import Message
from ledger.faults import Conflict, Missing, reject

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

# The service holds 64 KiB of text; base64 makes four characters of three bytes.
LARGEST_BODY = 64 * 1024 // 4 * 3
LONGEST_DELAY = timedelta(days=7)
NEVER = -1


class AzureQueue:
    """Storage queues as the Functions host reads them: base64 text; a missing queue is created by the first send."""

    def __init__(self, account: StorageAccount) -> None:
        self._account = account
        self._clients: dict[str, QueueClient] = {}

    def send(self, message: Message) -> None:
        text, seconds = encoded(message), math.ceil(message.delay.total_seconds())
        client = self._client(message.queue)

        def put() -> None:
            client.send_message(text, visibility_timeout=max(0, seconds), time_to_live=NEVER)

        try:
            with azure_faults(message.queue):
                put()
        except Missing:
            self._create(client)
            with azure_faults(message.queue):
                put()

    def _client(self, name: str) -> QueueClient:
        from azure.storage.queue import TextBase64EncodePolicy

        if name not in self._clients:
            with azure_faults(name):
                policy = TextBase64EncodePolicy()
                self._clients[name] = self._account.queues().get_queue_client(name, message_encode_policy=policy)
        return self._clients[name]

    def _create(self, client: QueueClient) -> None:
        try:
            with azure_faults(client.queue_name):
                client.create_queue()
        except Conflict:
            return


class MemoryQueue:
    """Messages of all queues in one line, first due first; `clock` says when a message was sent."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._line: list[tuple[datetime, int, Message]] = []
        self._arrival = itertools.count()

    def send(self, message: Message) -> None:
        # A round trip through the wire form: what a real queue would not carry must not pass here.
        arrived = Message(message.queue, json.loads(encoded(message)), message.delay)
        due = self._clock() + max(timedelta(), message.delay)
        heapq.heappush(self._line, (due, next(self._arrival), arrived))

    def take(self, now: datetime) -> Message | None:
        """The message that has been due longest, removed; None when none is due yet."""
        return heapq.heappop(self._line)[2] if self._line and self._line[0][0] <= now else None

    def next_due(self) -> datetime | None:
        return self._line[0][0] if self._line else None

    def __len__(self) -> int:
        return len(self._line)


def encoded(message: Message) -> str:
    """The message's body as JSON text; Rejected when no storage queue would take it."""
    text = json.dumps(message.body, sort_keys=True)
    if len(text.encode()) > LARGEST_BODY:
        raise reject("a queue message larger than 48 KiB", "Send a reference to the content instead.", "message-size")
    if message.delay > LONGEST_DELAY:
        raise reject("a queue message delayed by more than 7 days", "Send it later.", "message-delay")
    return text
