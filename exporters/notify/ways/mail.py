"""Mail, by a server that takes it."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from io import BufferedReader
from typing import Any

from collector.configuration.alerting import Mail as Settings
from collector.remarks import excerpt
from exporters.aside import aside
from exporters.notify.notice import Message
from exporters.notify.ways.sending import TIMEOUT, NotSent, without
from exporters.notify.wording import left_out, lines, title

_MOST_LINES = 100
"""Lines of one answer of a server; none has reason to say more."""

_LONGEST_SUBJECT = 200

_LASTING = 500
"""From this code on a server says no for good; below it, for now."""


_log = logging.getLogger("chainwatch.notify")


class Mail:
    """Some addresses. smtplib waits, so it works in a thread; who waits for that ends it when the time is over."""

    most = 100

    def __init__(self, settings: Settings, context: ssl.SSLContext | None = None, timeout: float = TIMEOUT) -> None:
        self._settings = settings
        self._password = settings.password.get_secret_value() if settings.password else ""
        self._context = context
        self._timeout = timeout

    async def send(self, message: Message) -> None:
        """Hand it to the server. Raises NotSent."""
        delivery = _Delivery(self._settings, self._password, self._context, self._timeout)
        try:
            async with asyncio.timeout(2 * self._timeout):
                await aside("chainwatch-mail", lambda: delivery.run(mail_of(message, self._settings)))
        except TimeoutError:
            if not delivery.taken:
                raise NotSent("timeout", f"the server at {self._settings.server} takes too long") from None
        except Exception as error:  # noqa: BLE001 - smtplib, and the sockets below it, raise much
            raise self._named(error) from None
        finally:
            delivery.end()

    async def close(self) -> None:
        """Do nothing: there is a connection for each mail."""

    def _named(self, error: Exception) -> NotSent:
        """Return what is to be said of a failure."""
        match error:
            case smtplib.SMTPRecipientsRefused():
                codes = [code for code, _ in error.recipients.values()]
                refused = all(code >= _LASTING for code in codes)
                return NotSent("recipients", f"the server refuses every address ({codes[0]})", refused=refused)
            case smtplib.SMTPResponseException():
                # A server may repeat a password, of which no half is left either.
                answer = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
                said = excerpt(without([self._password.encode()] if self._password else [], answer))
                refused = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _LASTING
                return NotSent(str(error.smtp_code), f"the server says {error.smtp_code}: {said}", refused=refused)
            case smtplib.SMTPServerDisconnected():
                return NotSent("cut_off", "the connection ended before the mail was taken")
            case smtplib.SMTPNotSupportedError():
                return NotSent("unsupported", f"the server offers less than is asked of it: {excerpt(str(error))}")
        return _not_connected(error)


def _not_connected(error: Exception) -> NotSent:
    match error:
        case TimeoutError():
            return NotSent("timeout", "no answer in time")
        case ssl.SSLError():
            return NotSent("tls", f"no TLS connection: {excerpt(error.reason or type(error).__name__)}")
        case OSError():
            return NotSent("unreachable", f"no connection: {excerpt(error.strerror or type(error).__name__)}")
    return NotSent("unsent", f"cannot be sent: {type(error).__name__}")


class _Delivery:
    """One mail on its way, in a thread."""

    def __init__(self, settings: Settings, password: str, context: ssl.SSLContext | None, timeout: float) -> None:
        self._settings = settings
        self._password = password
        self._context = context
        self._timeout = timeout
        self.taken = False
        """Whether the server has the mail: then it doesn't matter how it says goodbye."""
        self._client: smtplib.SMTP | None = None
        self._over = False

    def run(self, mail: EmailMessage) -> None:
        """Deliver it. Raises what smtplib and sockets raise."""
        settings = self._settings
        context = self._context or ssl.create_default_context()
        client = self._connected(settings.server.host, settings.server.port, context)
        try:
            if settings.tls == "starttls":
                client.starttls(context=context)
            if settings.username:
                client.login(settings.username, self._password)
            if self._over:
                return
            refused = client.send_message(mail, settings.sender, list(settings.to))
            self.taken = True
            for address in refused:
                _log.warning("%s takes a mail, but not for %s", settings.server, excerpt(address))
        finally:
            with suppress(smtplib.SMTPException, OSError):
                client.quit()

    def end(self) -> None:
        """Let a delivery that is not over fail: whatever it waits for, it waits no more."""
        self._over = True
        sock = self._client.sock if self._client else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _connected(self, host: str, port: int, context: ssl.SSLContext) -> smtplib.SMTP:
        if self._settings.tls == "tls":
            return _TlsClient(self._begun, host, port, timeout=self._timeout, context=context)
        return _Client(self._begun, host, port, timeout=self._timeout)

    def _begun(self, client: smtplib.SMTP) -> None:
        self._client = client


class _Bounded(smtplib.SMTP):
    """A client that `begun` is told of before it connects, and that reads no endless answers."""

    def __init__(self, begun: Callable[[smtplib.SMTP], None], *args: Any, **more: Any) -> None:  # noqa: ANN401
        begun(self)
        super().__init__(*args, **more)

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's answer. Raises SMTPException."""
        if self.file is None and self.sock is not None:
            self.file = _Lines(self.sock.makefile("rb"))
        if self.file is not None:
            self.file.count = 0
        return super().getreply()


class _Client(_Bounded):
    """To begin with in the clear."""


class _TlsClient(_Bounded, smtplib.SMTP_SSL):
    """TLS from the first byte."""


class _Lines:
    """What a server says, line by line."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.count = 0

    def readline(self, most: int = -1) -> bytes:
        """Return the next line. Raises OSError where an answer has too many."""
        self.count += 1
        if self.count > _MOST_LINES:
            raise OSError("the answer never ends")
        return self._file.readline(most)

    def close(self) -> None:
        """Close it."""
        self._file.close()


def mail_of(message: Message, settings: Settings) -> EmailMessage:
    """Return the mail. Nothing of it but the text comes from nodes, and that has no invisible characters."""
    mail = EmailMessage()
    mail["Subject"] = excerpt(title(message), _LONGEST_SUBJECT)
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = make_msgid(domain="chainwatch")
    mail["Auto-Submitted"] = "auto-generated"
    parts = ["\n".join(lines(notice)) for notice in message.notices]
    mail.set_content("\n\n".join([*parts, *filter(None, [left_out(message)])]) + "\n")
    return mail
