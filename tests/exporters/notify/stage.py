"""A notifier on a stage: a clock that the test moves, a chain whose findings it sets, receivers that come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from alerts.alert import Limits
from alerts.table import alerts
from collector.about import About
from collector.configuration.alerting import Channel
from collector.health.assessment import Assessment, Finding
from collector.health.readings import HealthReadings
from collector.health.signals import SIGNALS
from collector.readings import Field, Kind, Reading, Shape
from exporters.notify import Notifier, Settings
from exporters.notify.channel import Channel as AtWork
from exporters.notify.notice import Message, Status
from exporters.notify.ways import NotSent

INTERVAL = 10.0
KEEPS = 120.0
"""Seconds for which alerts of signals stay, once it is known that they are over."""

EVERY, REPEAT = 900.0, 14_400.0

_ABOUT = Shape("chainwatch", {}, [Field("reloads_total", Kind.COUNTER)])
"""What there is to say of chainwatch itself."""

BEGAN = 1_700_000_000.0


class Told(NamedTuple):
    """One alert of one message, and when it was told."""

    status: Status
    alert: str
    subject: str
    at: float
    times: int


@dataclass
class Receiver:
    """Takes what it is told while it is `there`; it may also take it and have the process killed right after."""

    clock: Stage
    most: int = 100
    there: bool = True
    wait: float = 0.0
    refuses: str = ""
    """The subject of which it takes no alert."""
    told: list[Told] = field(default_factory=list)
    tries: int = 0
    left_out: int = 0
    killed: bool = False

    async def send(self, message: Message) -> None:
        """Take a message, or raise NotSent."""
        self.tries += 1
        if not self.there:
            raise NotSent("away", "nobody there", self.wait)
        if self.refuses and any(notice.identity.subject == self.refuses for notice in message.notices):
            raise NotSent("400", "no such alert, please", refused=True)
        self.left_out += message.left_out
        for notice in message.notices:
            identity = notice.identity
            self.told.append(Told(notice.status, identity.alert, identity.subject, self.clock.now, notice.times))
        if self.killed:
            raise Killed

    async def close(self) -> None:
        """Go on: it is somebody else."""

    def statuses(self, subject: str = "", alert: str = "") -> list[str]:
        """Return what it was told, in order."""
        chosen = [each for each in self.told if subject in ("", each.subject) and alert in ("", each.alert)]
        return [each.status.value for each in chosen]


class Killed(BaseException):
    """The process is gone."""


class Stage:
    """A chain `lab` with findings, a notifier that hears of it every ten seconds, and its receivers by channel."""

    def __init__(self, directory: Path, channels: Mapping[str, Mapping[str, object]] | None = None) -> None:
        self.directory = directory
        self.now = BEGAN
        self.findings: dict[tuple[str, str], float | None] = {}
        """By signal and subject, the value of each."""
        self.assesses = True
        named = channels or {"team": {}}
        hook = {"severity": "info", "webhook": {"url": "http://nobody.example"}}
        self.channels = {name: Channel.model_validate(hook | dict(more)) for name, more in named.items()}
        self.receivers = {name: Receiver(self) for name in named}
        self.about = About()
        self.notifier = self._made()
        self._health = HealthReadings("lab")

    @property
    def receiver(self) -> Receiver:
        """The only one."""
        [receiver] = self.receivers.values()
        return receiver

    @property
    def at_work(self) -> Sequence[AtWork]:
        """The channels of the notifier."""
        return self.notifier._channels

    async def begin(self) -> None:
        """Begin, with what an earlier process has left."""
        self.notifier._restore(await self.notifier._keeping.read())

    async def restart(self) -> None:
        """Go on with another process, which knows what is on disk."""
        self.about = About()
        self.notifier = self._made()
        self._health = HealthReadings("lab")
        await self.begin()

    async def after(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + INTERVAL)
            if self.assesses:
                self.tell()
            await self.work()

    def tell(self) -> None:
        """Tell the notifier how chain and collector are."""
        found = [
            Finding(signal, SIGNALS[signal].severity, subject, "", self.now, value)
            for (signal, subject), value in self.findings.items()
        ]
        assessment = Assessment(
            chain="lab", kind="ethereum", at=self.now, interval=INTERVAL, sentence="", findings=found
        )
        self.notifier.take(self._health.readings(assessment), INTERVAL)
        self.notifier.take([Reading(_ABOUT, [0], int(self.now * 1e9))], INTERVAL)

    async def work(self) -> None:
        """Do what the tasks of a notifier do at one moment."""
        self.notifier.judge()
        await self.notifier._keeping.flush()
        for channel in self.at_work:
            while (channel.outbox.message(self.now, 1) is not None) and channel._not_before <= self.now:
                await channel.step()
                await self.notifier._keeping.flush()

    def _made(self) -> Notifier:
        table = alerts(Limits())
        settings = Settings(
            channels=self.channels,
            alerts={
                "": tuple(alert for alert in table if not alert.of_chain),
                "lab": tuple(alert for alert in table if alert.of_chain),
            },
            directory=self.directory,
            every=EVERY,
            repeat=REPEAT,
        )
        names = iter(self.channels)
        return Notifier(
            settings, self.about, now=lambda: self.now, ways=lambda _channel, _address: self.receivers[next(names)]
        )
