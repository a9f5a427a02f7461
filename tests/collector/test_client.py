"""The client: one kept connection, failures by kind, and nothing secret in any message."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode

import pytest
import trustme

from collector.client import LONGEST_ANSWER, Client, decode
from collector.failures import BadAnswer, Failure, Refused, TooLarge, Unreachable
from tests.answering import Answer, Answering
from tests.helpers import run


async def ask(client: Client, url: str) -> bytes | Failure:
    try:
        return await client.get(url)
    except Failure as failure:
        return failure
    finally:
        await client.close()


def test_one_connection_is_kept_for_all_requests() -> None:
    async def scenario() -> None:
        async with Answering({"/a": Answer(b"one")}) as server:
            client = Client(server.url)
            for _ in range(5):
                assert await client.get(f"{server.url}/a") == b"one"
            assert client.connections == 1
            assert client.keeps_alive
            await client.close()

    run(scenario())


def test_a_kept_connection_that_the_node_closed_meanwhile_is_no_failure() -> None:
    """The request goes out again on a new connection, once; a POST too, for nothing that is asked changes a node."""

    async def scenario() -> None:
        replies = iter([b"1", None, b"2"])

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(2**16):
                reply = next(replies)
                if reply is None:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + reply)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        client = Client(url)
        assert await client.post(url, b"{}") == b"1"
        assert await client.post(url, b"{}") == b"2"
        assert client.connections == 2
        await client.close()
        server.close()
        await server.wait_closed()

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(b"nope", 401), "unauthorized", "HTTP 401: nope; use a password"),
        (Answer(b"nope", 403), "forbidden", "HTTP 403: nope"),
        (Answer(b"invalid host specified\n", 403), "bad_host", "HTTP 403: invalid host specified"),
        (Answer(b"", 429), "busy", "HTTP 429: no reason given"),
        (Answer(b"", 503), "busy", "HTTP 503"),
        (Answer(b"moved", 302, {"Location": "http://example.invalid/"}), "http", "HTTP 302: moved"),
        (Answer(b"a\x00\x1b[31mb\nc", 500), "http", r"HTTP 500: a\x00\x1b[31mb\nc"),
        (Answer(b"x" * 5000, 500), "http", "xxx…"),
        (Answer(b"zip", 200, {"Content-Encoding": "gzip"}), "bad_answer", "answers in gzip, which was not asked for"),
    ],
)
def test_a_refusal_says_what_and_what_to_do(answer: Answer, kind: str, words: str) -> None:
    async def scenario() -> bytes | Failure:
        async with Answering({"/a": answer}) as server:
            return await ask(Client(server.url, advice={"unauthorized": "use a password"}), f"{server.url}/a")

    failure = run(scenario())
    assert isinstance(failure, Refused | BadAnswer)
    assert failure.kind == kind
    assert words in str(failure)
    assert str(failure).startswith("GET /a: ")
    assert len(str(failure)) < 300


def test_an_answer_announced_as_too_long_is_not_read() -> None:
    async def scenario() -> bytes | Failure:
        async with Answering({"/a": Answer(b"x" * (LONGEST_ANSWER + 1))}) as server:
            return await ask(Client(server.url), f"{server.url}/a")

    failure = run(scenario())
    assert isinstance(failure, TooLarge)
    assert f"an answer of {LONGEST_ANSWER + 1:,} bytes" in str(failure)


def test_nothing_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        failure = run(ask(Client(), f"http://127.0.0.1:{closed.getsockname()[1]}/"))
    assert isinstance(failure, Unreachable)
    assert failure.kind == "refused"


def test_a_name_without_an_address() -> None:
    failure = run(ask(Client(), "http://no-such-node.invalid:8545/"))
    assert isinstance(failure, Unreachable)
    assert failure.kind == "dns"
    assert "no-such-node.invalid" in str(failure)


def test_what_speaks_no_http() -> None:
    async def scenario() -> bytes | Failure:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            return await ask(Client(), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    failure = run(scenario())
    assert isinstance(failure, BadAnswer)
    assert "not HTTP" in str(failure)


def test_tls_where_the_node_speaks_none() -> None:
    async def scenario() -> bytes | Failure:
        async with Answering({}) as server:
            return await ask(Client(), server.url.replace("http:", "https:") + "/")

    failure = run(scenario())
    assert isinstance(failure, Unreachable)
    assert failure.kind == "tls"


def test_a_certificate_that_nobody_vouches_for() -> None:
    async def scenario() -> bytes | Failure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        async with server:
            return await ask(Client(), f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    failure = run(scenario())
    assert isinstance(failure, Unreachable)
    assert failure.kind == "tls"
    assert "certificate" in str(failure)


def test_user_and_password_are_sent_and_never_shown() -> None:
    async def scenario() -> list[str]:
        sent: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            sent.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            url = f"http://operator:s3cr%40t@127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            client = Client(url)
            failure = await ask(client, url)
        assert b"Authorization: Basic " + b64encode(b"operator:s3cr@t") in sent[0]
        return [str(failure), client.doing]

    for text in run(scenario()):
        assert "s3cr" not in text
        assert "operator" not in text


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(1000)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na",
    ],
)
def test_a_query_is_shown_with_no_answer_however_odd(answer: bytes) -> None:
    async def scenario() -> bytes | Failure:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return await ask(Client(url), f"{url}/?k=s3cret")

    failure = run(scenario())
    assert isinstance(failure, Failure)
    assert str(failure).startswith("GET /: ")
    assert "s3cret" not in str(failure)


def test_what_it_is_doing_is_said_of_the_server_itself_alone() -> None:
    async def scenario() -> None:
        async with Answering({"/a": Answer(after=30)}) as server, Answering({"/page": Answer(b"x")}) as other:
            client = Client(server.url)
            waiting = asyncio.create_task(client.get(f"{server.url}/a"))
            await asyncio.sleep(0.05)
            await client.get(f"{other.url}/page")
            assert client.doing == "waiting for the answer of GET /a"
            assert client.connections == 1
            waiting.cancel()
            await client.close()

    run(scenario())


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'{"a": NaN, "b": [+Inf, -Infinity, 2]}', {"a": None, "b": [None, None, 2]}),
        (rb'{"NaN": "NaN, \"NaN\" and Inf", "x": NaN}', {"NaN": 'NaN, "NaN" and Inf', "x": None}),
    ],
)
def test_documents_are_decoded_bare_nan_and_all(body: bytes, document: object) -> None:
    assert decode(body, "metrics") == document


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b'{"a": NaN', b"[" * 100_000, b'{"a": Nan}', b"{} {}"])
def test_what_is_not_json_is_said_in_one_line(body: bytes) -> None:
    with pytest.raises(BadAnswer) as caught:
        decode(body, "metrics")
    assert caught.value.kind == "not_json"
    assert str(caught.value).startswith("metrics: the answer is not JSON")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
