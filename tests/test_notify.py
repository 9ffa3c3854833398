"""Letters on their way to real loopback servers: what arrives, what a refusal becomes, and that no try takes long."""

from __future__ import annotations

import email
import hmac
import json
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import wiring
from adapters.notify import Notifier
from emulators.certificate import write_pair
from governance.letter import Letter
from governance.media import document, plain_text
from governance.notices import Channel
from governance.templates import form
from ledger.faults import Rejected, Transient
from tests.channels import Inbox, inbox

NOW = datetime(2026, 11, 12, 16, 5, tzinfo=UTC)
LETTER = Letter(
    "a" * 64,
    "stopped",
    NOW.isoformat(),
    "dev",
    "Budget dev: 1 stopped",
    ("one", "two"),
    {"Approve": "https://x/?token=t"},
)
KEY = "a signing key of the test, 32 characters"


def notifier(*seconds: float, **env: str) -> Notifier:
    return Notifier(
        env, lambda: NOW, lambda medium, one: document(medium, form(medium), one), plain_text, *seconds or (5,)
    )


def channel(medium: str = "teams", **more: Any) -> Channel:
    return Channel("c", medium, "ADDRESS", **more)


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as running:
        yield running


def test_a_teams_card_goes_out_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with inbox(tmp_path) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert notifier(ADDRESS=box.url).send(channel(), LETTER, ()) == {"status": 202}
    ((path, headers, body),) = box.got
    assert path == "/hook?sig=top-secret"
    assert headers["Content-Type"] == "application/json; charset=utf-8" and headers["X-Ledger-Notice"] == "a" * 64
    card = json.loads(body)["attachments"][0]["content"]
    assert [one["inlines"][0]["text"] for one in card["body"]] == ["Budget dev: 1 stopped", "one", "two"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Approve", "url": "https://x/?token=t"}]


def test_a_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    with inbox(tmp_path) as box, pytest.raises(Transient, match="SSLCertVerificationError"):
        notifier(ADDRESS=box.url).send(channel(), LETTER, ())
    assert box.got == []


def test_a_webhook_can_check_who_sent_it_and_when(box: Inbox) -> None:
    notifier(ADDRESS=box.url, SIGNING=KEY).send(channel("webhook", key="SIGNING"), LETTER, ())
    ((_, headers, body),) = box.got
    moment = str(int(NOW.timestamp()))
    expected = hmac.new(KEY.encode(), f"{moment}.".encode() + body, sha256).hexdigest()
    assert headers["X-Ledger-Signature"] == f"t={moment},v1={expected}"
    assert json.loads(body)["lines"] == [{"text": "one"}, {"text": "two"}]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_passes_is_tried_again_when_asked_to(box: Inbox, status: int) -> None:
    box.answers.append((status, {"Retry-After": "7"}))
    with pytest.raises(Transient, match=str(status)) as fault:
        notifier(ADDRESS=box.url).send(channel(), LETTER, ())
    assert fault.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 410, 413])
def test_what_does_not_pass_is_refused_and_a_redirect_is_not_followed(box: Inbox, status: int) -> None:
    box.answers.append((status, {"Location": "/elsewhere"}))
    with pytest.raises(Rejected, match=str(status)):
        notifier(ADDRESS=box.url).send(channel(), LETTER, ())
    assert len(box.got) == 1


def test_neither_a_hanging_nor_a_dripping_server_takes_longer_than_a_try(box: Inbox) -> None:
    for hold, drip in ((threading.Event(), False), (None, True)):
        box.hold, box.drip = hold, drip
        start = time.monotonic()
        with pytest.raises(Transient):
            notifier(0.4, ADDRESS=box.url).send(channel(), LETTER, ())
        assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://hooks.example/x?sig=top-secret",
        "ftp://127.0.0.1/top-secret",
        "https://user:top-secret@hooks.example/x",
        "https://hooks.example/top secret",
        "https:///top-secret",
        "https://hooks.example:99999/top-secret",
        "https://[top-secret",
    ],
)
def test_no_letter_goes_to_an_address_that_is_not_safe_and_none_is_told(address: str) -> None:
    with pytest.raises(Rejected, match="ADDRESS") as refusal:
        notifier(ADDRESS=address).send(channel(), LETTER, ())
    assert "secret" not in str(refusal.value)


def test_no_key_no_letter(box: Inbox) -> None:
    for env in ({}, {"SIGNING": "short"}):
        with pytest.raises(Rejected, match="SIGNING"):
            notifier(ADDRESS=box.url, **env).send(channel("webhook", key="SIGNING"), LETTER, ())
    assert box.got == []


def test_no_log_and_no_fault_has_the_address(
    box: Inbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    box.answers += [(202, {}), (404, {}), (500, {})]
    for address in (box.url,) * 3 + (box.url.replace("127.0.0.1", "127.0.0.1:1").rpartition(":")[0] + "/top-secret",):
        try:
            told.append(str(notifier(2, ADDRESS=address).send(channel(), LETTER, ())))
        except (Transient, Rejected) as fault:
            told.append(f"{fault!r} {fault.__cause__!r}")
    assert len(told) == 4
    assert "top-secret" not in "".join(told) + caplog.text + "".join(capfd.readouterr())


class Mailbox:
    """A mail server's handler: keeps what it gets; refuses the recipients it is told to."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refused: dict[str, str] = {}
        self.hold = 0.0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        found = email.message_from_bytes(envelope.content, policy=SMTP_POLICY)
        self.mails.append((envelope.rcpt_tos, found))
        return "250 OK"


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"ledger", b"top-secret"), handled=False)


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mailbox, str]]:
    """A mail server that demands TLS and a login, and its HOST:PORT."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_pair(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    box = Mailbox()
    server = Controller(
        box,
        hostname="127.0.0.1",
        port=_free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=_login,
    )
    server.start()
    yield box, f"127.0.0.1:{server.port}"
    server.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


MAIL = channel("email", user="USER", password="PASSWORD", sender="ledger@example.com", to=("ops@example.com",))
LOGIN = {"USER": "ledger", "PASSWORD": "top-secret"}


def test_a_mail_goes_out_after_starttls_and_login(mailbox: tuple[Mailbox, str]) -> None:
    box, server = mailbox
    told = notifier(ADDRESS=server, **LOGIN).send(MAIL, LETTER, ("ops@example.com", "fin@example.com"))
    ((to, mail),) = box.mails
    assert told == {"refused_recipients": 0} and to == ["ops@example.com", "fin@example.com"]
    assert (mail["Subject"], mail["From"]) == ("Budget dev: 1 stopped", "ledger@example.com")
    assert mail["Message-ID"] == f"<{'a' * 64}@example.com>" and mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("Budget dev: 1 stopped\n\none\ntwo\n\nApprove: https://x/?token=t\n")


def test_a_refused_recipient_is_counted_and_all_refused_is_a_fault(mailbox: tuple[Mailbox, str]) -> None:
    box, server = mailbox
    box.refused = {"gone@example.com": "550 no such user", "full@example.com": "452 full"}
    ready = notifier(ADDRESS=server, **LOGIN)
    assert ready.send(MAIL, LETTER, ("ops@example.com", "gone@example.com")) == {"refused_recipients": 1}
    with pytest.raises(Rejected, match="550"):
        ready.send(MAIL, LETTER, ("gone@example.com",))
    with pytest.raises(Transient, match="452"):
        ready.send(MAIL, LETTER, ("full@example.com",))


def test_a_wrong_password_is_refused_and_never_told(mailbox: tuple[Mailbox, str]) -> None:
    box, server = mailbox
    with pytest.raises(Rejected, match="535") as refusal:
        notifier(ADDRESS=server, USER="ledger", PASSWORD="wrong-secret").send(MAIL, LETTER, ("ops@example.com",))
    assert "secret" not in str(refusal.value) and box.mails == []


def test_a_server_that_is_not_there_or_never_speaks_is_tried_again() -> None:
    import socket

    with pytest.raises(Transient, match="ConnectionRefusedError"):
        notifier(2, ADDRESS=f"127.0.0.1:{_free_port()}").send(
            channel("email", sender="l@example.com"), LETTER, ("o@x.y",)
        )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(Transient):
            notifier(0.4, ADDRESS=f"127.0.0.1:{silent.getsockname()[1]}").send(
                channel("email", sender="l@example.com"), LETTER, ("o@x.y",)
            )
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("server", ["smtp.example.com/x", "https://smtp.example.com", "a b:25", "x:y"])
def test_what_names_no_mail_server_is_refused(server: str) -> None:
    with pytest.raises(Rejected, match="no mail server"):
        notifier(ADDRESS=server).send(channel("email", sender="l@example.com"), LETTER, ("o@x.y",))


def test_a_mail_channel_of_the_settings_can_be_tried(mailbox: tuple[Mailbox, str], tmp_path: Path) -> None:
    box, server = mailbox
    (tmp_path / "ledger.toml").write_text(
        'notices.fin = {kind = "email", server = "SMTP", from = "l@example.com", to = ["o@example.com"], '
        'user = "USER", password = "PASSWORD"}'
    )
    env = {"SMTP": server, **LOGIN}
    assert (
        wiring.try_channel("fin", wiring.settings(env, tmp_path / "ledger.toml"), env, NOW)["refused_recipients"] == 0
    )
    ((to, mail),) = box.mails
    assert (to, mail["Subject"]) == (["o@example.com"], "Test of fin")
