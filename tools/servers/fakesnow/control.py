"""How a test arranges an account: opened, filled, given faults, asked what it was asked. Loopback only, no secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool  # type: ignore[import-not-found]  # lives in .venvs/fakesnow
from starlette.requests import Request  # type: ignore[import-not-found]  # the same
from starlette.responses import JSONResponse, Response  # type: ignore[import-not-found]  # the same

from tools.servers.fakesnow import accounts
from tools.servers.fakesnow.faults import Fault
from tools.servers.fakesnow.wire import accounts as known
from tools.servers.fakesnow.wire import sessions


async def control(request: Request) -> Response:
    """POST /control/ACTION with an object of arguments; the answer is JSON, or 400 with what went wrong."""
    arguments = await request.json()
    act = ACTIONS[request.path_params["action"]]
    try:
        return JSONResponse(await run_in_threadpool(lambda: act(**arguments)))
    except Exception as error:  # whatever it is, the test that asked is told
        return JSONResponse(f"{type(error).__name__}: {error}", status_code=400)


def _open(name: str, locator: str, region: str, keys: dict[str, str], chunk_rows: int) -> None:
    known[name.upper()] = accounts.opened(name, locator, region, keys, chunk_rows)


def _close(name: str) -> None:
    account = known.pop(name.upper())
    for token in [token for token, session in sessions.items() if session.account is account]:
        del sessions[token]
    account.close()


def _faults(name: str, faults: list[dict[str, Any]]) -> None:
    known[name.upper()].faults[:] = [Fault(**fault) for fault in faults]


def _warehouse(name: str, warehouse: str, **facts: Any) -> None:
    """Facts no statement sets: running, lag."""
    found = known[name.upper()].warehouses.known[warehouse]
    for fact, value in facts.items():
        setattr(found, fact, value)


def _log(name: str) -> dict[str, Any]:
    account = known[name.upper()]
    return {"statements": account.statements, "logins": account.logins}


ACTIONS: dict[str, Callable[..., Any]] = {
    "open": _open,
    "close": _close,
    "faults": _faults,
    "warehouse": _warehouse,
    "log": _log,
    "load": lambda name, view, parquet: known[name.upper()].load(view, parquet),
    "run": lambda name, sql: known[name.upper()].run(sql),
}
