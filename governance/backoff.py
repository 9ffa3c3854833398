"""When to come back to a control plane that did not answer: when it asked to, else less and less often."""

from __future__ import annotations

from datetime import timedelta

from ledger.faults import Transient

FIRST = timedelta(seconds=15)
LONGEST = timedelta(minutes=5)
LONGEST_ASKED = timedelta(hours=1)
# So many attempts come quickly: an outage that ends soon costs little time, one that lasts few calls.
QUICK = 10


def asked(fault: Exception) -> timedelta | None:
    """The delay the other side asked for, from a second to an hour; None when it asked for none."""
    wish = fault.retry_after if isinstance(fault, Transient) else None
    return min(max(wish, timedelta(seconds=1)), LONGEST_ASKED) if wish is not None else None


def growing(attempt: int) -> timedelta:
    """Doubles from FIRST with each attempt, counted from 1, up to LONGEST."""
    return min(FIRST * (1 << min(attempt - 1, 16)), LONGEST)


def delay(fault: Exception, attempt: int) -> timedelta:
    return asked(fault) or growing(attempt)


def lasting(fault: Exception, attempt: int) -> timedelta:
    """For what is tried for days: after the quick attempts it grows on to LONGEST_ASKED, however little is asked."""
    if attempt <= QUICK:
        return delay(fault, attempt)
    slow = min(LONGEST * (1 << min(attempt - QUICK, 16)), LONGEST_ASKED)
    return max(asked(fault) or slow, slow)
