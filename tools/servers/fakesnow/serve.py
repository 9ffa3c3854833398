"""`python -m tools.servers.fakesnow.serve`: a Snowflake on a free loopback port, told on the first line printed."""

from __future__ import annotations

import socket

import uvicorn  # type: ignore[import-not-found]  # lives in .venvs/fakesnow
from fakesnow.server import app  # type: ignore[import-not-found]  # the same
from starlette.routing import Route  # type: ignore[import-not-found]  # the same

from tools.servers.fakesnow import control, wire

ROUTES = (
    Route("/session/v1/login-request", wire.login, methods=["POST"]),
    Route("/session/token-request", wire.renew, methods=["POST"]),
    Route("/session", wire.leave, methods=["POST"]),
    Route("/queries/v1/query-request", wire.query, methods=["POST"]),
    Route("/results/{token}/{number}", wire.chunk, methods=["GET"]),
    Route("/control/{action}", control.control, methods=["POST"]),
)


def main() -> None:
    app.debug = False
    app.router.routes[:0] = ROUTES
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"Listening on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([listening])


if __name__ == "__main__":
    main()
