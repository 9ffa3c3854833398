"""A recorded plan's digest, worked out anew from what the record says is in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from governance.canonical import digest
from governance.model import Alert


def recomputed(plan: Mapping[str, object], received: Mapping[str, object]) -> str:
    """The digest as policy.sealed made it; empty for a plan of the time when the opt-in was not recorded with it."""
    opt_in = plan.get("opt_in")
    if not isinstance(opt_in, Mapping):
        return ""
    sealed = {name: plan.get(name) for name in ("targets", "spared", "dry_run", "population", "until")}
    sealed |= {"alert_key": received.get("key"), "digest": ""}
    alert = {one.name: received[one.name] for one in fields(Alert) if one.name in received}
    return digest([sealed, alert, opt_in.get("key"), opt_in.get("value")])
