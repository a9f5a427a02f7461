"""Mail: what a real SMTP server is handed, encrypted or not, and every way in which that can fail."""

from __future__ import annotations

import email
import email.policy
import ssl
import time
from pathlib import Path

import pytest
import trustme

from collector.configuration.alerting import Mail as Settings
from exporters.notify.notice import Facts, Message, Status
from exporters.notify.ways.mail import Mail, mail_of
from exporters.notify.ways.sending import NotSent
from tests.exporters.notify.mailserver import MailServer
from tests.exporters.notify.notices import FACTS, message, notice
from tests.helpers import run

PASSWORD = "hunter2-and-more"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def at_server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def at_client(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def settings(port: int, **more: object) -> Settings:
    usual = {"to": ["a@b.example", "c@d.example"], "from": "watch@b.example", "server": f"127.0.0.1:{port}"}
    return Settings.model_validate({**usual, "tls": "none", **more})


def sent(
    server: MailServer, told: Message, context: ssl.SSLContext | None = None, timeout: float = 2.0, **more: object
) -> NotSent | None:
    """Send a message; return what went wrong."""

    async def scenario() -> NotSent | None:
        async with server:
            try:
                await Mail(settings(server.port, **more), context, timeout).send(told)
            except NotSent as failure:
                return failure
        return None

    return run(scenario())


def test_all_addresses_get_one_mail() -> None:
    server = MailServer()
    assert sent(server, message(notice(), notice(Status.RESOLVED, "sealer-2"), left_out=3)) is None
    [(sender, to, body)] = server.mails
    assert "watch@b.example" in sender
    assert [address.split("<")[1].split(">")[0] for address in to] == ["a@b.example", "c@d.example"]
    mail = email.message_from_bytes(body, policy=email.policy.default)
    assert mail["Subject"] == "lab: 1 firing, 1 resolved"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert FACTS.text in text
    assert "It lasted 1 h 2 min" in text
    assert "3 alerts could not be told here" in text


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_it_is_encrypted_with_a_password(at_server: ssl.SSLContext, at_client: ssl.SSLContext, tls: str) -> None:
    server = MailServer(at_server, at_once=tls == "tls", login=("u", PASSWORD))
    assert sent(server, message(), at_client, tls=tls, username="u", password=PASSWORD) is None
    assert server.encrypted == [True]


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(at_server: ssl.SSLContext, tls: str) -> None:
    server = MailServer(at_server, at_once=tls == "tls", login=("u", PASSWORD))
    failure = sent(server, message(), tls=tls, username="u", password=PASSWORD)
    assert failure is not None
    assert failure.kind == "tls"
    assert not server.mails
    assert not any(command.startswith("AUTH") for command in server.commands)


def test_no_password_goes_where_encryption_is_not_offered() -> None:
    server = MailServer(login=("u", PASSWORD))
    failure = sent(server, message(), tls="starttls", username="u", password=PASSWORD)
    assert failure is not None
    assert failure.kind == "unsupported"
    assert not any(command.startswith("AUTH") for command in server.commands)


def test_what_was_said_before_encryption_counts_for_nothing(
    at_server: ssl.SSLContext, at_client: ssl.SSLContext
) -> None:
    """Somebody between puts an answer behind that to STARTTLS: the connection fails, no mail goes astray."""
    server = MailServer(at_server, replies={"STARTTLS": b"220 go on\r\n250 injected\r\n"})
    failure = sent(server, message(), at_client, timeout=0.5, tls="starttls")
    assert failure is not None
    assert not server.mails


def test_a_wrong_password_is_not_repeated(at_server: ssl.SSLContext, at_client: ssl.SSLContext) -> None:
    server = MailServer(at_server, login=("u", "another"))
    failure = sent(server, message(), at_client, tls="starttls", username="u", password=PASSWORD)
    assert failure is not None
    assert failure.kind == "535"
    assert PASSWORD not in str(failure)


def test_no_half_of_a_password_is_repeated(at_server: ssl.SSLContext, at_client: ssl.SSLContext) -> None:
    said = b"535 " + b"." * 193 + PASSWORD.encode() + b"\r\n"
    server = MailServer(at_server, login=("u", PASSWORD), replies={"AUTH": said})
    failure = sent(server, message(), at_client, tls="starttls", username="u", password=PASSWORD)
    assert failure is not None
    assert failure.kind == "535"
    assert "hunter" not in str(failure)


@pytest.mark.parametrize(
    ("replies", "kind", "refused"),
    [
        ({"DATA": b"550 spam\r\n"}, "550", True),
        ({"DATA": b"450 later\r\n"}, "450", False),
        ({"RCPT": b"550 who?\r\n"}, "recipients", True),
        ({"RCPT": b"450 greylisted\r\n"}, "recipients", False),
        ({"MAIL": b"421 going down\r\n"}, "421", False),
        ({"EHLO": b"nonsense\r\n", "HELO": b"\xff\xfe\r\n"}, "-1", False),
    ],
)
def test_what_an_answer_means(replies: dict[str, bytes], kind: str, refused: bool) -> None:
    failure = sent(MailServer(replies=replies), message())
    assert failure is not None
    assert (failure.kind, failure.refused) == (kind, refused)


def test_an_address_that_is_refused_keeps_nobody_else_from_it(caplog: pytest.LogCaptureFixture) -> None:
    class Choosy(MailServer):
        pass

    server = Choosy()
    told = settings  # the second address is refused by the reply to the longer command

    async def scenario() -> None:
        async with server:
            original = server.commands

            class Commands(list[str]):
                def append(self, line: str) -> None:
                    super().append(line)
                    server.replies = {"RCPT": b"550 no\r\n"} if "c@d" in line else {}

            server.commands = Commands(original)
            await Mail(told(server.port), None, 2.0).send(message())

    run(scenario())
    assert len(server.mails) == 1
    assert "not for c@d.example" in caplog.text


@pytest.mark.parametrize("at", ["EHLO", "MAIL", "DATA", "QUIT"])
def test_a_server_that_hangs_is_left(at: str) -> None:
    began = time.monotonic()
    failure = sent(MailServer(hangs_at=at), message(), timeout=0.2)
    assert time.monotonic() - began < 2
    assert (failure is None) == (at == "QUIT")  # by then it has the mail
    assert failure is None or failure.kind in ("cut_off", "timeout")


def test_a_mail_that_was_taken_is_not_sent_again_for_want_of_a_goodbye() -> None:
    server = MailServer(hangs_at="QUIT", delays={"EHLO": 0.3, "MAIL": 0.3})
    assert sent(server, message(), timeout=0.4) is None
    assert len(server.mails) == 1


def test_an_answer_without_end_is_left() -> None:
    failure = sent(MailServer(endless=True), message(), timeout=5.0)
    assert failure is not None
    assert failure.kind == "cut_off"


def test_nobody_there() -> None:
    async def scenario() -> NotSent:
        with pytest.raises(NotSent) as failure:
            await Mail(settings(1), None, 1.0).send(message())
        return failure.value

    assert run(scenario()).kind == "unreachable"


@pytest.mark.parametrize(
    "name", ["x\r\nBcc: everybody@example.org", "x\nBcc: e@x", "é" * 500, "\u2028Bcc: e@x", "=?x?="]
)
def test_a_name_makes_no_header(name: str, tmp_path: Path) -> None:
    facts = Facts(FACTS.severity, FACTS.summary, name, FACTS.runbook)
    raw = mail_of(message(notice(subject=name, facts=facts)), settings(25)).as_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Bcc"] is None
    assert set(mail.keys()) <= {
        "Subject",
        "From",
        "To",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }
