"""The triggers: each reads its input, calls one flow through wiring and hands the flow's messages on.

Only azure.functions and the standard library are imported here, so that a cold instance answers soon; what a job
needs is imported when it arrives. A fault in a queue function surfaces: the host brings the message back until its
tries are used up, then moves it to the poison queue.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

STORAGE = "AzureWebJobsStorage"

app = func.FunctionApp()


@app.timer_trigger(arg_name="timer", schedule="%PLAN_INGEST_SCHEDULE%")
def plan_ingest(timer: func.TimerRequest) -> None:
    import wiring

    _done("ingest-planned", wiring.plan_ingest(os.environ, datetime.now(UTC)), past_due=timer.past_due)


@app.queue_trigger(arg_name="message", queue_name="ingest-partition", connection=STORAGE)
def ingest_partition(message: func.QueueMessage, context: func.Context) -> None:
    import wiring

    report = wiring.ingest_partition(_object(message), os.environ, datetime.now(UTC), run_id=context.invocation_id[:8])
    _done("partition-ingested", attempt=message.dequeue_count, run=report)


@app.route(route="alerts/budget", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def budget_alert(req: func.HttpRequest) -> func.HttpResponse:
    """The budget webhook. Its caller tries again after 503 but never after 500, so whatever goes wrong is a 503."""
    try:
        import wiring

        token, drill = (req.headers.get(name, "") for name in ("authorization", "x-ledger-drill"))
        status, body = wiring.on_alert(req.get_body(), os.environ, datetime.now(UTC), token, drill)
        _done("alert-answered", status=status, answer=body)
        if "notice" in body:  # of any other alert the plan is the news
            wiring.tell(os.environ, body["alert"])
    except Exception as fault:
        with suppress(Exception):  # an app whose own modules cannot be imported must still answer
            from adapters import telemetry

            telemetry.failed("alert-unavailable", fault)
        return _answer(503, {"error": "the alert could not be taken now; send it again"})
    return _answer(status, dict(body))


@app.route(route="plans/decide", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def plan_decision(req: func.HttpRequest) -> func.HttpResponse:
    """A one-time link: its signature is the authentication. GET asks, POST decides."""
    try:
        import wiring
        from governance.approval_page import HEADERS

        page = wiring.by_link(req.method, req.params.get("token", ""), os.environ, datetime.now(UTC))
        _done("link-answered", page.messages, status=page.status, method=req.method)
    except Exception as fault:
        with suppress(Exception):
            from adapters import telemetry

            telemetry.failed("link-unavailable", fault)
        return _answer(503, {"error": "the link could not be followed now; try it again"})
    return func.HttpResponse(page.html, status_code=page.status, mimetype="text/html", headers=HEADERS)


@app.queue_trigger(arg_name="message", queue_name="plan-stop", connection=STORAGE)
def plan_stop(message: func.QueueMessage) -> None:
    _control("plan-stop", message)


@app.queue_trigger(arg_name="message", queue_name="carry-out-order", connection=STORAGE)
def carry_out_order(message: func.QueueMessage) -> None:
    _control("carry-out-order", message)


@app.queue_trigger(arg_name="message", queue_name="verify-order", connection=STORAGE)
def verify_order(message: func.QueueMessage) -> None:
    _control("verify-order", message)


@app.queue_trigger(arg_name="message", queue_name="undo-run", connection=STORAGE)
def undo_run(message: func.QueueMessage) -> None:
    _control("undo-run", message)


@app.queue_trigger(arg_name="message", queue_name="start-order", connection=STORAGE)
def start_order(message: func.QueueMessage) -> None:
    _control("start-order", message)


@app.queue_trigger(arg_name="message", queue_name="send-notice", connection=STORAGE)
def send_notice(message: func.QueueMessage) -> None:
    import wiring

    messages = wiring.on_notice(_object(message), os.environ, datetime.now(UTC))
    _done("notice-handled", messages, id=message.id, attempt=message.dequeue_count)


@app.timer_trigger(arg_name="timer", schedule="%DRILL_SCHEDULE%")
def drill(timer: func.TimerRequest) -> None:
    """A test alert for each budget, always dry; the sweep tells what became of it."""
    import wiring

    _done("drills-sent", drills=wiring.drill(os.environ, lambda: datetime.now(UTC)), past_due=timer.past_due)


@app.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%")
def sweep(timer: func.TimerRequest) -> None:
    import wiring

    _done("swept", wiring.sweep(os.environ, datetime.now(UTC)), past_due=timer.past_due)
    wiring.look_about(os.environ, datetime.now(UTC))
    wiring.tell(os.environ)


def _control(queue: str, message: func.QueueMessage) -> None:
    import wiring

    body = _object(message)
    messages = wiring.on_queue(queue, body, os.environ, datetime.now(UTC))
    _done("message-handled", messages, queue=queue, id=message.id, attempt=message.dequeue_count)
    if not messages or queue == "plan-stop":  # an order that goes on is no news
        wiring.tell(os.environ, body.get("alert"))


def _record_given_up(queue: str) -> None:
    """The poison handler of a queue, `<queue>_poison`: what was given up goes into the record."""

    @app.function_name(f"{queue.replace('-', '_')}_poison")
    @app.queue_trigger(arg_name="message", queue_name=f"{queue}-poison", connection=STORAGE)
    def given_up(message: func.QueueMessage) -> None:
        import wiring
        from adapters import telemetry

        wiring.on_poison(queue, message.get_body().decode(errors="replace"), os.environ, datetime.now(UTC))
        telemetry.alarm("message-given-up", queue=queue, id=message.id)


for _queue in (
    "ingest-partition",
    "plan-stop",
    "carry-out-order",
    "verify-order",
    "undo-run",
    "start-order",
    "send-notice",
):
    _record_given_up(_queue)


def _object(message: func.QueueMessage) -> dict[str, object]:
    """The message's JSON object; ValueError for anything else, which ends in the poison queue."""
    body = json.loads(message.get_body())
    if not isinstance(body, dict):
        raise ValueError("a queue message is a JSON object")
    return body


def _done(event: str, messages: Sequence[Any] = (), **fields: object) -> None:
    """Hand the flow's messages on, then log one event of what was done."""
    import wiring
    from adapters import telemetry

    wiring.send(messages, os.environ)
    telemetry.event(event, sent=[message.queue for message in messages], **fields)


def _answer(status: int, body: dict[str, object]) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")
