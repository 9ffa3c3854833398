"""Brings letters to their channels: JSON over HTTPS, or mail over SMTP with STARTTLS. Each try has seconds, in all.

Addresses and keys are read from the environment when a letter is sent. They are in no fault, and the standard
library's clients log nothing: those that log each request would write the secret of a webhook's address.
"""

from __future__ import annotations

import hmac
import http.client
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from hashlib import sha256
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from ledger.faults import Rejected, Transient, reject

if TYPE_CHECKING:
    from governance.letter import Letter
    from governance.notices import Channel

SECONDS = 10
SHORTEST_KEY = 32
_PASSING = (408, 425, 429)
_TLS_FROM_THE_START = 465
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SERVER = re.compile(r"([A-Za-z0-9.-]+)(?::(\d{1,5}))?")

Document = Callable[[str, "Letter"], bytes]


class Notifier:
    """`document` gives the JSON body of a medium, `text` that of a mail; `env` has what the channels name."""

    def __init__(
        self,
        env: Mapping[str, str],
        clock: Callable[[], datetime],
        document: Document,
        text: Callable[[Letter], str],
        seconds: float = SECONDS,
    ) -> None:
        self._env, self._clock, self._document, self._text, self._seconds = env, clock, document, text, seconds

    def send(self, channel: Channel, found: Letter, to: Sequence[str]) -> Mapping[str, object]:
        """What is worth recording. Transient: not taken now. Rejected: it never will be."""
        carry = self._mail if channel.medium == "email" else self._post
        return _within(self._seconds, lambda: carry(channel, found, to))

    def _post(self, channel: Channel, found: Letter, _: Sequence[str]) -> Mapping[str, object]:
        url = _checked(self._value(channel.address), channel.address)
        body = self._document(channel.medium, found)
        headers = {"Content-Type": "application/json; charset=utf-8", "X-Ledger-Notice": found.id}
        if channel.key:
            headers["X-Ledger-Signature"] = self._signature(channel, body)
        return {"status": _posted(url, body, headers, self._seconds)}

    def _signature(self, channel: Channel, body: bytes) -> str:
        """Over the moment and the body, so that nothing can be changed, nor sent again much later."""
        key, moment = self._value(channel.key), str(int(self._clock().timestamp()))
        if len(key) < SHORTEST_KEY:
            raise reject(
                f"{channel.key} is too short to sign with", f"Give it {SHORTEST_KEY} characters or more.", "notice-key"
            )
        signed = hmac.new(key.encode(), moment.encode() + b"." + body, sha256).hexdigest()
        return f"t={moment},v1={signed}"

    def _mail(self, channel: Channel, found: Letter, to: Sequence[str]) -> Mapping[str, object]:
        host, port = _server(self._value(channel.address), channel.address)
        login = (self._value(channel.user), self._value(channel.password)) if channel.user else None
        message = _message(channel.sender, found, to, self._text(found), self._clock())
        return {"refused_recipients": _mailed(host, port, login, message, self._seconds)}

    def _value(self, name: str) -> str:
        value = self._env.get(name, "").strip()
        if not value:
            raise reject(f"{name} is not set", "Set it where the service runs.", "notice-setting")
        return value


def _within(seconds: float, work: Callable[[], Mapping[str, object]]) -> Mapping[str, object]:
    """A client's timeout is per read: a server that sends a byte now and then would hold it for ever."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as fault:
            done.append(fault)

    worker = Thread(target=run, daemon=True, name="notice")
    worker.start()
    worker.join(seconds)
    if not done:
        raise Transient(f"no answer within {seconds:g} seconds")
    if isinstance(done[0], BaseException):
        raise done[0]
    found: Mapping[str, object] = done[0]
    return found


def _checked(url: str, name: str) -> SplitResult:
    """Plain http only to this machine."""
    try:
        found = urlsplit(url)
        usable = bool(found.hostname) and (found.port is None or found.port > 0) and url.isascii()
    except ValueError:
        usable = False
    if not usable or not (found.scheme == "https" or (found.scheme == "http" and found.hostname in _LOOPBACK)):
        raise reject(f"{name} is no https address", "Set it to the whole address of the webhook.", "notice-address")
    if found.username or found.password or re.search(r"\s", url):
        raise reject(f"{name} holds a user name or a blank", "Set it to the address alone.", "notice-address")
    return found


def _posted(url: SplitResult, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
    """The status of an answer that took it. A redirect is not followed: it would carry the letter elsewhere."""
    assert url.hostname  # checked before
    if url.scheme == "https":
        context = ssl.create_default_context()
        line: http.client.HTTPConnection = http.client.HTTPSConnection(
            url.hostname, url.port, timeout=seconds, context=context
        )
    else:
        line = http.client.HTTPConnection(url.hostname, url.port, timeout=seconds)
    try:
        line.request("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), body, dict(headers))
        with line.getresponse() as answer:
            _judged(answer.status, answer.headers.get("Retry-After", ""))
            return answer.status
    except (OSError, http.client.HTTPException) as fault:
        # Only its type: a stranger's text may hold the address.
        raise Transient(f"the channel could not be reached ({type(fault).__name__})") from None
    finally:
        line.close()


def _judged(status: int, wait: str) -> None:
    if 200 <= status < 300:
        return
    if status in _PASSING or status >= 500:
        asked = timedelta(seconds=int(wait)) if re.fullmatch(r"\d{1,6}", wait, re.ASCII) else None
        raise Transient(f"the channel answered {status}", asked)
    raise reject(f"the channel answered {status}", "Check that its address is still valid.", "notice-refused")


def _server(value: str, name: str) -> tuple[str, int]:
    match = _SERVER.fullmatch(value)
    if not match:
        raise reject(
            f"{name} is no mail server", 'Set it as "HOST:PORT", such as "smtp.example.com:587".', "notice-address"
        )
    return match[1], int(match[2] or 587)


def _message(sender: str, found: Letter, to: Sequence[str], text: str, now: datetime) -> EmailMessage:
    """The same Message-ID at every try: a mailbox that got it twice can show it once."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(to), found.title
    message["Date"] = now
    message["Message-ID"] = f"<{found.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _mailed(host: str, port: int, login: tuple[str, str] | None, message: EmailMessage, seconds: float) -> int:
    """How many recipients were refused while others were not. Nothing is said before TLS, but to this machine."""
    try:
        with _line(host, port, seconds) as line:
            if login:
                line.login(*login)
            return len(line.send_message(message))
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        raise _smtp_fault(min(codes, default=550)) from None
    except smtplib.SMTPResponseException as answer:
        raise _smtp_fault(answer.smtp_code) from None
    except smtplib.SMTPNotSupportedError:
        raise reject("the mail server offers no TLS, or no login", "Use one that does.", "notice-refused") from None
    except (OSError, smtplib.SMTPException) as fault:
        raise Transient(f"the mail server could not be reached ({type(fault).__name__})") from None


def _line(host: str, port: int, seconds: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if port == _TLS_FROM_THE_START:
        return smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
    line = smtplib.SMTP(host, port, timeout=seconds)
    try:
        line.ehlo()
        if host not in _LOOPBACK or line.has_extn("starttls"):
            line.starttls(context=context)
    except BaseException:
        line.close()
        raise
    return line


def _smtp_fault(code: int) -> Transient | Rejected:
    if 400 <= code < 500:
        return Transient(f"the mail server answered {code}")
    return reject(f"the mail server answered {code}", "Check its settings and the addresses.", "notice-refused")
