"""Snowflake's wire, as the 5.x connector speaks it, over fakesnow's handler of one query.

fakesnow answers a query with all of its rows in one piece. Snowflake sends the first rows and says where to fetch the
others; so does this, which is what lets a connection break in the middle of a fetch.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
from fakesnow import server as fakesnow  # type: ignore[import-not-found]  # lives in .venvs/fakesnow
from starlette.concurrency import run_in_threadpool  # type: ignore[import-not-found]  # the same
from starlette.requests import Request  # type: ignore[import-not-found]  # the same
from starlette.responses import JSONResponse, Response, StreamingResponse  # type: ignore[import-not-found]  # the same

from tools.servers.fakesnow import keys
from tools.servers.fakesnow.accounts import TIME_ZONE, Account
from tools.servers.fakesnow.faults import Fault, due
from tools.servers.fakesnow.warehouses import Answer, Refused

MASTER_SECONDS, SECONDS = 14_400, 3_600
ZONE = re.compile(r"ALTER\s+SESSION\s+SET\s+TIMEZONE\s*=\s*'([^']+)'", re.IGNORECASE)
SESSION = re.compile(r"ALTER\s+SESSION\s+(SET|UNSET)\s", re.IGNORECASE)
READS = re.compile(r"\bFROM\b", re.IGNORECASE)
COLUMN = re.compile(r'Referenced column "([^"]+)"|column named "?([\w$]+)')
TABLE = re.compile(r"\b(?:FROM|JOIN)\s+([\w$.\"]+)", re.IGNORECASE)

accounts: dict[str, Account] = {}


@dataclass(frozen=True, slots=True)
class Session:
    account: Account
    facts: dict[str, str]


sessions: dict[str, Session] = {}
_rest: ContextVar[list[Any]] = ContextVar("rest")
_to_ipc, _to_sf = fakesnow.to_ipc, fakesnow.to_sf


def in_utc(table: Any, rowtype: Any) -> Any:
    """fakesnow sends instants of UTC alone; those of a session in another zone are the same instants."""
    for place, one in enumerate(table.schema):
        if pa.types.is_timestamp(one.type) and one.type.tz not in (None, "UTC"):
            table = table.set_column(place, one.name, table.column(place).cast(pa.timestamp(one.type.unit, "UTC")))
    return _to_sf(table, rowtype)


def first_part(table: Any) -> Any:
    """The first rows as they are sent inline; the others are kept for `chunks`."""
    rest = _rest.get()
    size, rest[:] = rest[0], []
    rest.extend(table.slice(start, size) for start in range(size, table.num_rows, size))
    return _to_ipc(table.slice(0, size))


fakesnow.to_ipc, fakesnow.to_sf = first_part, in_utc


async def login(request: Request) -> Response:
    data = (await _body(request))["data"]
    account = accounts.get(str(data.get("ACCOUNT_NAME", "")).upper())
    if account is None:
        return _refusal(Refused("390100", "08001", "Incorrect username or password was specified."))
    if fault := due(account.faults, "LOGIN", "error", "slow", "status"):
        if fault.kind != "slow":
            return _broken(fault, "LOGIN")
        await asyncio.sleep(fault.seconds)
    account.logins.append(_signed_in(request, data))
    try:
        keys.check(account, data)
    except Refused as refused:
        return _refusal(refused)
    return _welcome(account, data, account.logins[-1])


def _signed_in(request: Request, data: Any) -> dict[str, str]:
    """Who came by which means; no secret is kept."""
    return {
        "user": data.get("LOGIN_NAME") or "",
        "authenticator": data.get("AUTHENTICATOR") or "SNOWFLAKE",
        "provider": data.get("PROVIDER") or "",
        "role": request.query_params.get("roleName", ""),
        "warehouse": request.query_params.get("warehouse", "").strip('"'),
        "application": data.get("CLIENT_APP_ID") or "",
        "parameters": json.dumps(data.get("SESSION_PARAMETERS") or {}),
    }


def _welcome(account: Account, data: Any, login: dict[str, str]) -> Response:
    connection = account.instance.connect(None, None)
    facts = account.facts | {
        "current_warehouse": login["warehouse"].upper(),
        "current_role": login["role"].upper(),
        "current_user": login["user"].upper(),
    }
    for name, value in facts.items():
        connection._duck_conn.execute(f"CREATE TEMP MACRO {name}() AS '{value}'")
    zone = (data.get("SESSION_PARAMETERS") or {}).get("TIMEZONE", TIME_ZONE)
    connection._duck_conn.execute(f"SET TimeZone = '{zone}'")
    token = secrets.token_urlsafe(32)
    fakesnow.sessions[token] = connection
    sessions[token] = Session(account, {"warehouse": login["warehouse"].upper()})
    return _success(
        token=token,
        masterToken=f"master-{token}",
        validityInSeconds=SECONDS,
        masterValidityInSeconds=MASTER_SECONDS,
        sessionId=len(sessions),
        serverVersion=fakesnow.SERVER_VERSION,
        parameters=[{"name": "TIMEZONE", "value": zone}, {"name": "AUTOCOMMIT", "value": True}],
        sessionInfo={"roleName": login["role"], "warehouseName": login["warehouse"]},
    )


async def renew(request: Request) -> Response:
    """A new session token for a master token; both go on as the old ones."""
    old = str((await _body(request)).get("oldSessionToken", ""))
    if old not in sessions:
        return _refusal(Refused("390114", "08001", "Authentication token has expired.  The user must authenticate"
                                " again."))  # fmt: skip
    token = secrets.token_urlsafe(32)
    sessions[token], fakesnow.sessions[token] = sessions[old], fakesnow.sessions[old]
    return _success(sessionToken=token, masterToken=f"master-{token}", validityInSecondsST=SECONDS,
                    validityInSecondsMT=MASTER_SECONDS, sessionId=1)  # fmt: skip


async def leave(request: Request) -> Response:
    token = fakesnow.to_token(request)
    if request.query_params.get("delete") and (session := sessions.pop(token, None)):
        session.account.results.pop(token, None)
    return await fakesnow.session(request)


async def query(request: Request) -> Response:
    token = fakesnow.to_token(request)
    session = sessions.get(token)
    if session is None:
        return _refusal(Refused("390111", "08001", "Session no longer exists.  New login required to access the"
                                " service."))  # fmt: skip
    statement = (await _body(request))["sqlText"]
    session.account.statements.append(statement)
    if (fault := due(session.account.faults, statement, "error", "slow", "cut", "status")) is not None:
        if fault.kind != "slow":
            return _broken(fault, statement)
        await asyncio.sleep(fault.seconds)
    try:
        return _own(session, token, statement) or await _asked(request, session, token, statement)
    except Refused as refused:
        return _refusal(refused)


def _own(session: Session, token: str, statement: str) -> Response | None:
    """What fakesnow does not know."""
    if match := ZONE.search(statement):
        fakesnow.sessions[token]._duck_conn.execute(f"SET TimeZone = '{match[1]}'")
    if SESSION.match(statement.strip()):
        return _rows(Answer(["status"], [["Statement executed successfully."]]))
    answer = session.account.warehouses.answer(statement, session.facts)
    return _rows(answer) if answer is not None else None


async def _asked(request: Request, session: Session, token: str, statement: str) -> Response:
    account = session.account
    if READS.search(statement):
        account.warehouses.serve(session.facts["warehouse"])
    rest: list[Any] = [account.chunk_rows]
    _rest.set(rest)
    answer = json.loads((await fakesnow.query_request(request)).body)
    fakesnow.sessions[token].results_cache.clear()
    if not answer["success"]:
        return _refusal(_as_snowflake_words_it(answer, statement))
    if rest and not isinstance(rest[0], int):
        account.results[token] = [statement, *rest]
        answer["data"] |= {"chunks": _chunks(request, token, rest), "chunkHeaders": {}}
    return JSONResponse(answer)


def _chunks(request: Request, token: str, parts: list[Any]) -> list[dict[str, Any]]:
    """Sizes are estimates: parts are written when they are fetched."""
    return [
        {
            "url": f"{request.base_url}results/{token}/{number}",
            "rowCount": part.num_rows,
            "uncompressedSize": part.nbytes,
            "compressedSize": part.nbytes,
        }
        for number, part in enumerate(parts, 1)
    ]


async def chunk(request: Request) -> Response:
    """One part of the last answer of a session, or the beginning of it where the connection is to break."""
    token, number = request.path_params["token"], int(request.path_params["number"])
    session = sessions.get(token)
    kept = session.account.results.get(token, []) if session else []
    if session is None or number >= len(kept):
        return Response(status_code=403)
    statement, part = kept[0], kept[number]
    body = await run_in_threadpool(lambda: gzip.compress(_to_ipc(part), compresslevel=1))
    cutting = next((one for one in session.account.faults if one.kind == "chunks" and one.meets(statement)), None)
    if cutting is None or number <= cutting.after:
        return Response(body, headers={"Content-Encoding": "gzip"})
    cutting.count()
    return _cut(body)


def _cut(body: bytes) -> Response:
    async def half() -> Any:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError("the connection is to break here")

    return StreamingResponse(half(), headers={"Content-Encoding": "gzip", "Content-Length": str(len(body))})


def _broken(fault: Fault, statement: str) -> Response:
    if fault.kind == "cut":
        return _cut(b"not a whole answer")
    if fault.kind == "status":
        return Response(fault.message, status_code=int(fault.code))
    return _refusal(Refused(fault.code, fault.state, fault.told(statement)))


def _as_snowflake_words_it(answer: Any, statement: str) -> Refused:
    """DuckDB names what is missing in its own words and codes."""
    code, message = answer["code"], answer["message"] or ""
    if code == "002043" and (match := COLUMN.search(message)):
        name = match[1] or match[2]
        return Refused(
            "000904", "42000", f"SQL compilation error: error line 1 at position 7\ninvalid identifier '{name}'"
        )
    if code == "002003" and (match := TABLE.search(statement)) and "Table" in message:
        name = match[1].replace('"', "")
        return Refused(code, "42S02", f"SQL compilation error:\nObject '{name}' does not exist or not authorized.")
    if code == "261000":
        return Refused(
            "000603", "XX000", f"SQL execution internal error: the stand-in cannot run this: {message[:500]}"
        )
    return Refused(code, (answer["data"] or {}).get("sqlState") or "HY000", message)


def _rows(answer: Answer) -> Response:
    text = {"type": "text", "nullable": True, "length": 16_777_216, "byteLength": 16_777_216, "scale": None,
            "precision": None, "database": "", "schema": "", "table": "", "collation": None}  # fmt: skip
    return _success(
        parameters=[],
        rowtype=[{"name": name} | text for name in answer.columns],
        rowset=answer.rows,
        total=len(answer.rows),
        returned=len(answer.rows),
        queryId=secrets.token_hex(16),
        statementTypeId=0x4000,
        queryResultFormat="json",
    )


def _success(**data: Any) -> Response:
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def _refusal(refused: Refused) -> Response:
    data = {"errorCode": refused.code, "sqlState": refused.state, "queryId": secrets.token_hex(16)}
    return JSONResponse({"data": data, "code": refused.code, "message": refused.message, "success": False})


async def _body(request: Request) -> Any:
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)
