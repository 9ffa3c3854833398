"""The control story's entry points, one per trigger. Flows return messages as values; the shell sends them."""

from __future__ import annotations

from governance.drill import after_order, on_drill, on_probe
from governance.intake import on_alert
from governance.orders import on_order, on_verify
from governance.planning import on_plan
from governance.rescue import on_poison, on_sweep
from governance.starts import on_start
from governance.undo_stages import on_undo

__all__ = [
    "after_order",
    "on_alert",
    "on_drill",
    "on_order",
    "on_plan",
    "on_poison",
    "on_probe",
    "on_start",
    "on_sweep",
    "on_undo",
    "on_verify",
]
