"""Whatever message is lost, of whatever queue, the sweep finishes what it was about: an alert, then its undo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from adapters.queue import MemoryQueue
from governance import flow, streams, undo
from governance.model import Message
from governance.record import Record
from governance.rescue import STALE
from governance.terminal import handlers
from tests.governance.scene import DOLLAR, NOW, machine, payload
from tests.governance.undoing import LIVE, StartingFleet

LIVE_BUDGET = replace(DOLLAR, live=True)
MACHINES = [machine(name) for name in "ab"]
# What an alert about two machines and its undo send when nothing is lost; far more would be running in circles.
MESSAGES = 16
MOST_MESSAGES = 40


class Lossy:
    """The queues of the service, from which the message of one number never comes."""

    def __init__(self, record: Record, lost: int | None) -> None:
        self.record, self.lost, self.now = record, lost, NOW
        self.fleet = StartingFleet(*MACHINES)
        self.line = MemoryQueue(lambda: self.now)
        self.sent: list[str] = []
        self.flows = handlers([LIVE_BUDGET], record, self.fleet, live=True)

    def send(self, message: Message) -> None:
        self.sent.append(message.queue)
        if len(self.sent) - 1 != self.lost:
            self.line.send(message)

    def send_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.send(message)

    def play(self) -> None:
        """Until the queues are empty and two sweeps find nothing."""
        quiet = 0
        while quiet < 2:
            self._drain()
            self.now += STALE + timedelta(minutes=1)
            again = flow.on_sweep(record=self.record, now=self.now)
            quiet = 0 if again else quiet + 1
            self.send_all(again)

    def _drain(self) -> None:
        while (due := self.line.next_due()) is not None:
            assert len(self.sent) < MOST_MESSAGES, self.sent
            self.now = max(self.now, due)
            message = self.line.take(self.now)
            assert message
            self.send_all(self.flows[message.queue](message.body, self.now))

    def through(self) -> str:
        body = payload("common-actual")
        answer = flow.on_alert(body, budgets=[LIVE_BUDGET], record=self.record, queue=self, now=self.now, live=True)
        self.play()
        run = str(answer.body["alert"])
        self.powers("deallocated")
        self.send_all(undo.ask(run, LIVE, budgets=[LIVE_BUDGET], record=self.record, now=self.now))
        self.play()
        self.powers("running")
        return run

    def powers(self, wanted: str) -> None:
        assert [one.power for one in self.fleet.known.values()] == [wanted] * len(MACHINES), self.sent


def whole(folder: Path) -> list[str]:
    told = Lossy(Record(FolderStore(folder)), None)
    told.through()
    return told.sent


def test_a_story_without_a_loss_goes_through_every_queue_of_control(memory_folder: Path) -> None:
    control = {streams.PLAN_STOP, streams.CARRY_OUT_ORDER, streams.VERIFY_ORDER, streams.UNDO_RUN, streams.START_ORDER}
    sent = whole(memory_folder)
    assert (set(sent), len(sent)) == (control, MESSAGES)


@pytest.mark.parametrize("number", range(MESSAGES))
def test_invariant_8_a_message_that_is_lost_is_made_good_and_nothing_is_done_twice(
    number: int, memory_folder: Path
) -> None:
    told = Lossy(Record(FolderStore(memory_folder)), number)
    told.through()
    assert sorted(told.fleet.stops) == sorted(told.fleet.starts) == [one.id for one in MACHINES]
    assert all(told.record.verify(stream) == [] for stream in told.record.streams())
