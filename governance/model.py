"""What moves through the control story; frozen values, money as Decimal with its currency beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Protocol

from governance.rules import DEFAULT_SAFEGUARDS, Policy, Safeguards


class State(Enum):
    """Where one order stands; lifecycle.py says how it gets from one to the next."""

    PLANNED = "planned"
    CALLING = "calling"
    ACCEPTED = "accepted"
    VERIFIED = "verified"
    REFUSED = "refused"
    DRY_RUN = "dry-run"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget the ledger knows (ledger.toml); `scope` is an ARM id without a trailing slash, lower case.

    `also` are further scopes, of other clouds too, in which it may stop what opted in to it. `feed` names the source
    that brings its cost data, blank where none does; without a delivery for `stale_after` they are stale (0: never).
    """

    name: str
    id: str
    scope: str
    currency: str
    amount: Decimal
    opt_in_key: str
    opt_in_value: str
    action_threshold: Decimal = Decimal("0.8")
    live: bool = False
    policies: tuple[Policy, ...] = ()
    safeguards: Safeguards = DEFAULT_SAFEGUARDS
    also: tuple[str, ...] = ()
    drill: bool = False
    feed: str = ""
    stale_after: timedelta = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Alert:
    """A budget alert, parsed; `threshold` is a ratio of the limit, `kind` is actual or forecast.

    `key` identifies one effect: budget, period, threshold and kind. `digest` is the raw body's SHA-256. `policies` are
    the names of the rules that answer it with a stop or a notice.
    """

    key: str
    budget_id: str
    budget_name: str
    scope: str
    currency: str
    limit: Decimal
    spent: Decimal
    threshold: Decimal
    kind: str
    period: str
    form: str
    fired_at: datetime | None
    digest: str
    notice_only: str = ""
    policies: tuple[str, ...] = ()
    alert_id: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a body is not an alert we act on; `status` is the 4xx to answer, 202 for a test alert of the portal."""

    status: int
    reason: str
    digest: str
    budget: str = ""  # the name it claims, and the id of the registry's budget of that name
    budget_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the webhook says back; the body is JSON-ready."""

    status: int
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Machine:
    """Anything that computes and can be stopped, as its control plane shows it.

    `power` is one of Azure's PowerState words or 'unknown'; other clouds' states are told in these. `parts` are the
    instances of a scale set with the power of each. `unstoppable` says why no stop may be asked for; '' where it may.
    `size`, `system`, `purchase` (on-demand or spot) and `units` (how many of the size) are what its price hangs on.
    `identity` changes when another machine is made under the same id; '' where its control plane tells none.
    `launched` is when it was last started; None where that is not told, or not of starts alone.
    """

    id: str
    name: str
    resource_group: str
    location: str
    tags: Mapping[str, str]
    power: str
    kind: str = "azure_vm"
    size: str = ""
    system: str = ""
    purchase: str = "on-demand"
    units: int = 1
    unstoppable: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    launched: datetime | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A machine in or out of a plan, with the reason, the rule that picked it, and what it costs an hour while on.

    `saves` is per hour, `saves_until_end` until the end of the plan's period; None where the price is unknown.
    """

    id: str
    kind: str
    tags: Mapping[str, str]
    power: str
    reason: str
    policy: str = ""
    per_hour: Decimal | None = None
    currency: str = ""
    price_source: str = ""
    saves: Decimal | None = None
    saves_until_end: Decimal | None = None
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Exactly what will be stopped and what not; `digest` covers all of it, the alert and the opt-in.

    `population` is how many machines the scope listed, `until` the end of the budget's period.
    """

    alert_key: str
    targets: tuple[Target, ...]
    spared: tuple[Target, ...]
    dry_run: bool
    digest: str
    population: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of an append-only, hash-chained stream."""

    stream: str
    sequence: int
    kind: str
    at: datetime
    body: Mapping[str, object]
    previous_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class Message:
    """A queue message as a value; the shell sends it."""

    queue: str
    body: Mapping[str, object]
    delay: timedelta = field(default=timedelta())


class Queue(Protocol):
    """Sends messages; Transient when the queue cannot take one."""

    def send(self, message: Message) -> None: ...


class Fleet(Protocol):
    """The control plane of one or more kinds of machine. Faults: Transient (with retry_after), Missing, Rejected.

    Nothing here can end or erase a machine: there is no such call, and no role that would permit one.
    """

    def machines(self, scope: str) -> list[Machine]:
        """Every machine of the scope, all pages, with power state."""

    def machine(self, id: str) -> Machine:
        """One machine read now: tags and power state."""

    def lock(self, id: str) -> str:
        """The reason of a lock that holds on it now, in one request; '' for none, or where its cloud has no locks."""

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:
        """Ask for deallocation: of the named parts where the machine is made of some. Accepted, not done."""

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:
        """Ask for a start, for undo alone: of the named parts where the machine has some. Accepted, not done."""
