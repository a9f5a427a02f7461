"""The entrypoint's own port: few connections at a time, small requests, and time limits on every one of them."""

from __future__ import annotations

import io
import json
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn

from compose.nodeos.saying import Log, Once
from compose.nodeos.snapshots.kept import Kept
from compose.nodeos.status import Status

MOST_CONNECTIONS = 32
MOST_SENT = 4
"""Snapshots that are sent at a time."""
LARGEST_REQUEST = 8 * 1024
REQUEST_SECONDS = 5.0
"""Within which the whole request must be there, however it trickles."""

SLOWEST = 16 * 1024
"""Bytes a second that whoever takes a snapshot takes at least, after a first minute."""
STALL_SECONDS = 30.0
GRACE_SECONDS = 60.0

_CHUNK = 1024 * 1024
_BUSY = b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


class Listener(ThreadingHTTPServer):
    """Answers until the process ends."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], status: Status, kept: Kept | None, log: Log) -> None:
        """Listen; `kept` is what is offered, None for nothing. Raises OSError."""
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        self.status = status
        self.kept = kept
        self.sending = threading.BoundedSemaphore(MOST_SENT)
        self._connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._failure = Once(log, "status page")

    def begin(self) -> None:
        """Answer from now on, in a thread of its own."""
        threading.Thread(target=self.serve_forever, name="listener", daemon=True).start()

    def server_bind(self) -> None:
        """Bind without asking any name server for our name, as the class above would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """Take a connection on, unless there are enough."""
        if not self._connections.acquire(blocking=False):
            with suppress(OSError):
                request.setblocking(False)
                request.send(_BUSY)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread is to be had
            self._connections.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver
        """Answer one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of a failure that is ours, once; one of the client's is nobody's business."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self._failure.failed(f"{type(error).__name__}: {error}")
        del request, client_address


class _Refused(Exception):  # noqa: N818 - the client erred
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One request, then the connection ends."""

    server: Listener
    server_version = "nodeos-entrypoint"
    sys_version = ""

    def handle(self) -> None:
        try:
            self.rfile = io.BytesIO(self._request())  # read from as from a file
            self.connection.settimeout(STALL_SECONDS)
            self.close_connection = True
            self.handle_one_request()
        except _Refused as refused:
            self.requestline, self.request_version, self.command = "", "HTTP/1.0", ""
            self.send_error(refused.status)
        except OSError:
            pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = path.removeprefix("/snapshots/")
        answers: dict[str, Callable[[], None]] = {
            "/status": lambda: self._send(json.dumps(self.server.status.document(), indent=1), "application/json"),
            "/metrics": lambda: self._send(self.server.status.page(), "text/plain; version=0.0.4; charset=utf-8"),
        }
        if self.server.kept:
            kept = self.server.kept
            answers["/snapshots"] = lambda: self._send_list(kept)
            if name != path:
                answers[path] = lambda: self._send_snapshot(kept, name)
        answer = answers.get(path)
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            answer()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Log no request: there is one each few seconds."""

    def _request(self) -> bytes:
        """Return the request's head. Raises _Refused and OSError."""
        deadline = time.monotonic() + REQUEST_SECONDS
        content = b""
        while b"\r\n\r\n" not in content and b"\n\n" not in content:
            self.connection.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                chunk = self.connection.recv(LARGEST_REQUEST)
            except TimeoutError:
                raise _Refused(HTTPStatus.REQUEST_TIMEOUT) from None
            if not chunk:
                raise ConnectionAbortedError
            content += chunk
            if len(content) > LARGEST_REQUEST:
                raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        return content

    def _send(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _send_list(self, kept: Kept) -> None:
        self._send(json.dumps([snapshot._asdict() for snapshot in kept.all()], indent=1), "application/json")

    def _send_snapshot(self, kept: Kept, name: str) -> None:
        path = kept.path(name)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        if not self.server.sending.acquire(blocking=False):
            self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Retry-After", "10")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        try:
            with kept.sending(name), path.open("rb") as file:
                size = path.stat().st_size
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(size))
                self.end_headers()
                if self.command != "HEAD":
                    self._send_file(file, size)
        finally:
            self.server.sending.release()

    def _send_file(self, file: Any, size: int) -> None:  # noqa: ANN401 - an open file
        began = time.monotonic()
        sent = 0
        while sent < size:
            sent += self.connection.sendfile(file, sent, min(_CHUNK, size - sent)) or self._cut_short()
            took = time.monotonic() - began - GRACE_SECONDS
            if took > 0 and sent < took * SLOWEST:
                self._cut_short()

    def _cut_short(self) -> NoReturn:
        raise ConnectionAbortedError
