"""Money as Snowflake sends it: integers as narrow as their values, with the scale beside them. The stand-in sends it
wider, so the wire is played here.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from adapters.snowflake_session import SignIn, connect

SESSION = {
    "token": "t",
    "masterToken": "m",
    "validityInSeconds": 3600,
    "masterValidityInSeconds": 14400,
    "sessionId": 1,
}


def fixed(name: str, kind: Any, scale: int) -> Any:
    facts = {"logicalType": "FIXED", "scale": str(scale), "precision": "38", "charLength": "0", "nullable": "true"}
    return pa.field(name, kind, metadata=facts)


def answer() -> dict[str, Any]:
    """56.82, 0.01 and null as two-byte integers of hundredths; 30.123456789 as eight bytes."""
    cents, credits = fixed("CENTS", pa.int16(), 2), fixed("CREDITS", pa.int64(), 9)
    columns = [pa.array([5682, 1, None], pa.int16()), pa.array([30_123_456_789, None, -1], pa.int64())]
    table = pa.Table.from_arrays(columns, schema=pa.schema([cents, credits]))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    kinds = [{"name": one.name, "type": "fixed", "scale": scale, "precision": 38, "nullable": True}
             for one, scale in ((cents, 2), (credits, 9))]  # fmt: skip
    rows = base64.b64encode(sink.getvalue().to_pybytes()).decode()
    return {"rowtype": kinds, "queryResultFormat": "arrow", "rowsetBase64": rows, "total": 3, "queryId": "q",
            "parameters": [], "statementTypeId": 0x1000}  # fmt: skip


@contextmanager
def wire() -> Iterator[str]:
    class Wire(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            data = SESSION | {"parameters": [], "sessionInfo": {}} if "login" in self.path else answer()
            body = json.dumps({"success": True, "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Wire) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_money_arrives_as_exact_decimals() -> None:
    with wire() as endpoint:
        env = {"LEDGER_SNOWFLAKE_URL": endpoint, "LEDGER_SNOWFLAKE_PASSWORD": "testing"}
        with connect(SignIn("EXAMPLE-MAIN", "U", auth="password"), env) as session, session.cursor() as cursor:
            [table] = cursor.execute("SELECT CENTS, CREDITS").fetch_arrow_batches()
    assert table["CENTS"].to_pylist() == [Decimal("56.82"), Decimal("0.01"), None]
    assert table["CREDITS"].to_pylist() == [Decimal("30.123456789"), None, Decimal("-0.000000001")]
    assert all(pa.types.is_decimal(one.type) for one in table.schema)
