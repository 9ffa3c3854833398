"""The ingest half of a running service: its timer, its queue, and what the ledger holds."""

from __future__ import annotations

from dataclasses import dataclass

import settings
import wiring
from tests.host.conftest import Service


@dataclass(frozen=True)
class Ingestion:
    service: Service

    def plan(self) -> list[str]:
        """The queues of the messages that the timer sent."""
        outcome = self.service.host.timer("plan_ingest")
        assert outcome.succeeded, outcome.error
        return [str(queue) for queue in outcome.events()[-1]["sent"]]

    def carried(self, count: int = 1) -> list[str]:
        """What became of the messages, once so many were handled."""
        self.service.pump.run(until=lambda: len(self.service.pump.of("ingest_partition")) >= count)
        outcomes = [one.outcome for one in self.service.pump.of("ingest_partition")]
        return [one.events()[-1]["run"]["outcome"] if one.succeeded else "failed" for one in outcomes]

    def total(self) -> str:
        document = wiring.summary(settings.load(None, self.service.env), self.service.env)
        return str(document["currencies"]["USD"]["total"])  # type: ignore[index]  # a JSON document
