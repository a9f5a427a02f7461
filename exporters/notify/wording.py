"""How alerts are told to people: lines of plain text, of bounded length."""

from __future__ import annotations

import time

from collector.health.words import amount
from exporters.notify.notice import Message, Notice, Status

_LONGEST_TITLE = 120

_WORDS = {Status.STILL: "STILL ", Status.RESOLVED: "RESOLVED ", Status.PASSED: "PASSED "}


def title(message: Message) -> str:
    """Return one line for the whole message: how many fire, how many are over, or the one that it is of."""
    chain = message.chain or "chainwatch"
    if len(message.notices) == 1:
        return headline(message.notices[0])[:_LONGEST_TITLE]
    over = sum(notice.until is not None for notice in message.notices)
    firing = len(message.notices) - over
    parts = [f"{count} {what}" for count, what in ((firing, "firing"), (over, "resolved")) if count]
    return f"{chain}: {', '.join(parts)}"[:_LONGEST_TITLE]


def headline(notice: Notice) -> str:
    """Return what it is of: `CRITICAL lab: QuorumAtRisk`, `RESOLVED lab/sealer-1: NodeDown`."""
    identity = notice.identity
    chain = identity.chain or "chainwatch"
    whom = f"{chain}/{identity.subject}" if identity.subject else chain
    word = _WORDS.get(notice.status, "")
    if notice.status in (Status.FIRING, Status.STILL):
        word += f"{notice.facts.severity.upper()} "
    return f"{word}{whom}: {identity.alert}"


def lines(notice: Notice) -> list[str]:
    """Return what there is to say of one alert, the headline first."""
    said = [headline(notice), notice.facts.text or notice.facts.summary]
    if when := _when(notice):
        said.append(when)
    if notice.facts.runbook and notice.status in (Status.FIRING, Status.STILL):
        said.append(notice.facts.runbook)
    return said


def left_out(message: Message) -> str:
    """Return what is to be said of alerts that could not be told, "" if there are none."""
    if not message.left_out:
        return ""
    return f"{amount(message.left_out, 'alert')} could not be told here when they fired, for want of room."


def moment(seconds: float) -> str:
    """Return a moment as RFC 3339 has it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def lasting(seconds: float) -> str:
    """Return a duration in the two largest units that it fills: `2 h 5 min`, `40 s`."""
    whole = max(0, round(seconds))
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def _when(notice: Notice) -> str:
    """Return since when, and for how long; of one that has just begun nothing, unless it came and went before."""
    began = _clock(notice.since)
    more = notice.times - 1
    times = f", firing {notice.times} times" if more > 0 else ""
    if notice.until is None:
        if notice.status is Status.STILL:
            return f"It has fired since {began}."
        return f"It came and went {more} times since {began}." if more > 0 else ""
    lasted = lasting(notice.until - notice.since)
    return f"It lasted {lasted}, from {began} to {_clock(notice.until)}{times}."


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
