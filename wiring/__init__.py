"""The one place that builds real adapters from settings, lazily: nothing heavy is imported until a job arrives."""

from __future__ import annotations

from wiring.audit import audit
from wiring.azure import ExportWish, exports
from wiring.control import alert, look_about, on_alert, on_poison, on_queue, send, sweep
from wiring.drills import drill, lives, standing
from wiring.fleets import fleet
from wiring.money import contracts, export, summary, take_in, validate
from wiring.notices import on_notice, posted, tell, try_channel
from wiring.orders import order, receipt, runs
from wiring.parts import book, commitments, engine, new_id, opener, quiet, record, settings, store
from wiring.planning import ingest_partition, plan_ingest
from wiring.plans import by_link, decide, links, pause, plan, plan_again, plans
from wiring.reconcile import Question, reconcile
from wiring.sources import located
from wiring.status import meant, status
from wiring.undo import ask_undo, undo

__all__ = [
    "ExportWish",
    "Question",
    "alert",
    "ask_undo",
    "audit",
    "book",
    "by_link",
    "commitments",
    "contracts",
    "decide",
    "drill",
    "engine",
    "export",
    "exports",
    "fleet",
    "ingest_partition",
    "links",
    "lives",
    "located",
    "look_about",
    "meant",
    "new_id",
    "on_alert",
    "on_notice",
    "on_poison",
    "on_queue",
    "opener",
    "order",
    "pause",
    "plan",
    "plan_again",
    "plan_ingest",
    "plans",
    "posted",
    "quiet",
    "receipt",
    "reconcile",
    "record",
    "runs",
    "send",
    "settings",
    "standing",
    "status",
    "store",
    "summary",
    "sweep",
    "take_in",
    "tell",
    "try_channel",
    "undo",
    "validate",
]
