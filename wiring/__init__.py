"""The one place that builds real adapters from settings, lazily: nothing heavy is imported until a job arrives."""

from __future__ import annotations

from wiring.azure import ExportWish, exports
from wiring.control import alert, on_alert, on_poison, on_queue, send, sweep
from wiring.money import export, summary, take_in, validate
from wiring.parts import book, commitments, engine, fleet, new_id, opener, quiet, record, settings, store
from wiring.planning import ingest_partition, plan_ingest
from wiring.reconcile import Question, reconcile
from wiring.sources import located

__all__ = [
    "ExportWish",
    "Question",
    "alert",
    "book",
    "commitments",
    "engine",
    "export",
    "exports",
    "fleet",
    "ingest_partition",
    "located",
    "new_id",
    "on_alert",
    "on_poison",
    "on_queue",
    "opener",
    "plan_ingest",
    "quiet",
    "reconcile",
    "record",
    "send",
    "settings",
    "store",
    "summary",
    "sweep",
    "take_in",
    "validate",
]
