"""What is shown to those who look, made at most once a second however many they are, and not at all while nobody does.

There are two views, one of everything and one for everybody. Each is a row of editions; whoever knows the one before
gets the difference, everybody else the whole, and both are made once for all of them.
"""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Callable, Sequence
from functools import cached_property

from collector.health.assessment import Assessment
from collector.page.document import Document, difference, document, encoded
from collector.page.public import public
from collector.remarks import Remarks, excerpt

_log = logging.getLogger("chainwatch")

PERIOD = 1.0
"""Seconds between two editions."""

_GZIP_LEVEL = 1  # several times faster than 6 for a few more bytes


class Edition:
    """What is shown from one moment on. `number` goes up by one with each."""

    def __init__(self, number: int, now: Document, before: Document | None) -> None:
        self.number = number
        self.now = now
        self._before = before
        self._made = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds until the next may be made; 0 when they are over."""
        return max(0.0, self._made + PERIOD - time.monotonic())

    @cached_property
    def whole(self) -> bytes:
        """All of it, as JSON."""
        return encoded(self.now)

    @cached_property
    def packed(self) -> bytes:
        """All of it, as JSON, in gzip: a tenth of it where nodes are many."""
        return gzip.compress(self.whole, _GZIP_LEVEL, mtime=0)

    @cached_property
    def change(self) -> bytes | None:
        """What differs from the edition before, as JSON; None of the first."""
        return None if self._before is None else encoded(difference(self._before, self.now))


class Unavailable(Exception):  # noqa: N818 - it is no error of whoever looks
    """Health could not say how the chains are. That is a defect, and in the log."""


class _Attempt:
    """Something that may fail by a defect: it is in the log then, and is not tried again within `PERIOD` seconds."""

    def __init__(self, subject: str) -> None:
        self._remarks = Remarks(_log, subject)
        self._failed = float("-inf")

    def __enter__(self) -> None:
        if time.monotonic() - self._failed < PERIOD:
            raise Unavailable

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Unavailable):
            self._failed = time.monotonic()
            self._remarks.failed("defect", f"a defect of chainwatch: {excerpt(repr(error))}")
            _log.debug("page: a defect", exc_info=error)
            raise Unavailable from error
        if error is None:
            self._remarks.recovered("works again")


class Assessments:
    """What health says, asked at most once in `PERIOD` seconds."""

    def __init__(self, assess: Callable[[], Sequence[Assessment]]) -> None:
        self._assess = assess
        self._attempt = _Attempt("page")
        self._asked = float("-inf")
        self._latest: Sequence[Assessment] = ()

    def latest(self) -> Sequence[Assessment]:
        """Return the latest. Raises Unavailable."""
        with self._attempt:
            now = time.monotonic()
            if now - self._asked >= PERIOD:
                self._latest = self._assess()
                self._asked = now
        return self._latest


class View:
    """The editions of one of the two views; `public` is the one for everybody."""

    def __init__(self, assessments: Assessments, *, public: bool) -> None:
        self._assessments = assessments
        self._public = public
        self._attempt = _Attempt("public page" if public else "page")
        self._edition: Edition | None = None

    def edition(self) -> Edition:
        """Return the edition of this second. Raises Unavailable."""
        last = self._edition
        if last and last.left:
            return last
        with self._attempt:
            self._edition = made = self._made(self._assessments.latest(), last)
        return made

    def _made(self, assessments: Sequence[Assessment], last: Edition | None) -> Edition:
        if self._public:
            assessments = [public(assessment) for assessment in assessments]
        now = document(assessments, time.time(), public=self._public)
        edition = Edition(last.number + 1 if last else 1, now, last.now if last else None)
        # One of the two is wanted in a moment, and what can't be JSON has to be known here.
        _ = edition.change if last else edition.whole
        return edition
