"""An S3 that is slow, cut off, busy or closed: over real sockets, and what each answer of AWS becomes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.aws_session import PATIENCE
from ingest.sources.aws_faults import CODES, GONE, LATER, aws_faults
from ingest.sources.s3 import TRIES, Bucket
from ledger.faults import Missing, Rejected, Transient

BODY = bytes(range(256)) * 12_000
ETAG = f'"{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}"'
Answer = Callable[[BaseHTTPRequestHandler, int], None]


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[Bucket, list[str]]]:
    """A bucket on a loopback server, with the Range of every request; `answer` gets the number of the request."""
    ranges: list[str] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ranges.append(self.headers.get("Range", ""))
            answer(self, len(ranges))
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Bucket(client(server.server_port), "bucket"), ranges
        finally:
            server.shutdown()


def client(port: int) -> Any:
    """The product's patience, but for a second in place of a minute."""
    import boto3
    from botocore.config import Config

    patience = PATIENCE | {"read_timeout": 1, "retries": {"mode": "standard", "max_attempts": 1}}
    keys: Any = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "the-secret"}
    session = boto3.Session(region_name="us-east-1", **keys)
    return session.client("s3", endpoint_url=f"http://127.0.0.1:{port}", config=Config(**patience))


def send(request: BaseHTTPRequestHandler, most: int, body: bytes = BODY, **headers: str) -> None:
    """What is asked for, of which at most so many bytes are sent before the connection ends."""
    asked = request.headers.get("Range", "")
    start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
    request.send_response(206 if asked else 200)
    request.send_header("Content-Length", str(len(body) - start))
    request.send_header("ETag", ETAG)
    request.send_header("Last-Modified", "Sat, 31 Jan 2026 00:00:00 GMT")
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body[start : start + most])
    request.wfile.flush()


def refuse(request: BaseHTTPRequestHandler, status: int, code: str) -> None:
    text = f"<Error><Code>{code}</Code><Message>for AKIAIOSFODNN7EXAMPLE</Message></Error>".encode()
    request.send_response(status)
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    request.wfile.write(text)


def test_a_cut_connection_is_resumed_where_it_broke_off(tmp_path: Path) -> None:
    third = len(BODY) // 3
    with serving(lambda request, number: send(request, third if number < 3 else len(BODY))) as (bucket, ranges):
        bucket.download("k", len(BODY), ETAG, tmp_path / "chunk")
    assert (tmp_path / "chunk").read_bytes() == BODY
    assert ranges[0] == ""
    assert [int(one.removeprefix("bytes=").rstrip("-")) > 0 for one in ranges[1:]] == [True, True]


def test_a_connection_that_is_cut_again_and_again_is_left_for_later(tmp_path: Path) -> None:
    with serving(lambda request, _: send(request, 1000)) as (bucket, ranges), pytest.raises(Transient, match="cut"):
        bucket.download("k", len(BODY), ETAG, tmp_path / "chunk")
    assert len(ranges) == TRIES
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_not_waited_for_without_end(tmp_path: Path) -> None:
    silence = threading.Event()

    def answer(request: BaseHTTPRequestHandler, _: int) -> None:
        send(request, 1000)
        silence.wait(10)

    with serving(answer) as (bucket, ranges), pytest.raises(Transient):
        bucket.download("k", len(BODY), ETAG, tmp_path / "chunk")
    silence.set()
    assert len(ranges) == TRIES


def test_bytes_that_are_not_those_of_the_etag_are_not_taken(tmp_path: Path) -> None:
    wrong = BODY[:-1] + b"x"
    with (
        serving(lambda request, _: send(request, len(wrong), wrong)) as (bucket, _),
        pytest.raises(Transient, match="MD5"),
    ):
        bucket.download("k", len(wrong), ETAG, tmp_path / "chunk")
    assert list(tmp_path.iterdir()) == []


def test_under_a_key_of_ones_own_the_etag_is_no_digest(tmp_path: Path) -> None:
    key = {"x-amz-server-side-encryption": "aws:kms"}
    wrong = BODY[:-1] + b"x"
    with serving(lambda request, _: send(request, len(wrong), wrong, **key)) as (bucket, _):
        bucket.download("k", len(wrong), ETAG, tmp_path / "chunk")
    assert (tmp_path / "chunk").read_bytes() == wrong


def test_another_length_than_was_offered_is_not_taken(tmp_path: Path) -> None:
    with serving(lambda request, _: send(request, len(BODY))) as (bucket, _), pytest.raises(Transient, match="offered"):
        bucket.download("k", len(BODY) + 1, ETAG, tmp_path / "chunk")


def test_no_server_is_worth_another_try(tmp_path: Path) -> None:
    with serving(lambda request, _: send(request, 0)) as (bucket, _):
        pass
    with pytest.raises(Transient, match="connection failed"):
        bucket.download("k", 1, ETAG, tmp_path / "chunk")


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (403, "AccessDenied", Rejected, "docs/aws.md"),
        (400, "ExpiredToken", Rejected, "expired"),
        (403, "InvalidAccessKeyId", Rejected, "does not know the access key"),
        (403, "SignatureDoesNotMatch", Rejected, "signature"),
        (403, "RequestTimeTooSkewed", Rejected, "clock"),
        (404, "NoSuchBucket", Rejected, "location"),
        (400, "SomethingNew", Rejected, "SomethingNew"),
        (503, "SlowDown", Transient, "fewer requests"),
        (429, "SomethingBusy", Transient, "SomethingBusy"),
        (500, "InternalError", Transient, "busy"),
        (400, "RequestTimeout", Transient, "slow"),
        (404, "NoSuchKey", Missing, "no such object"),
    ],
)
def test_each_answer_of_aws_becomes_what_the_caller_must_do(
    status: int, code: str, kind: type[Exception], says: str
) -> None:
    with (
        serving(lambda request, _: refuse(request, status, code)) as (bucket, _),
        pytest.raises(kind) as raised,
    ):
        bucket.small("k", 10)
    text = str(raised.value)
    assert says in text
    assert "s3://bucket/k" in text
    assert "AKIA" not in text
    assert "the-secret" not in text


def test_a_bucket_in_another_region_is_named_as_such() -> None:
    with (
        serving(lambda request, _: refuse(request, 301, "PermanentRedirect")) as (bucket, _),
        pytest.raises(Rejected, match="region"),
    ):
        bucket.small("k", 10)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_advice_exactly_where_a_person_must_act(code: str) -> None:
    from botocore.exceptions import ClientError

    deed, _, advice = CODES[code]
    assert bool(advice) == (deed not in (LATER, GONE))
    with pytest.raises((Transient, Rejected, Missing)), aws_faults("x"):
        raise ClientError({"Error": {"Code": code, "Message": "m"}}, "GetObject")


def test_no_credentials_are_told_with_what_to_set() -> None:
    from botocore.exceptions import ConnectionClosedError, NoCredentialsError

    with pytest.raises(Rejected, match="profile"), aws_faults("x"):
        raise NoCredentialsError
    with pytest.raises(Transient) as raised, aws_faults("s3://b/k"):
        raise ConnectionClosedError(endpoint_url="https://b/k?X-Amz-Signature=abc")
    assert "abc" not in str(raised.value)
