"""The exporter: sees in the readings which alerts fire, and tells the channels."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from alerts.rulefile import runbook_url
from alerts.texts import NOBODY, in_unit
from collector.about import About
from collector.configuration import alerting as conf
from collector.readings import Reading
from collector.remarks import Remarks, excerpt
from collector.targets import Target
from exporters.notify.channel import Channel
from exporters.notify.conditions import holding, of_pipeline, told_by_node, told_by_readings, wanted
from exporters.notify.figures import Assessed, Figures
from exporters.notify.heartbeat import Heartbeat
from exporters.notify.keeping import Keeping
from exporters.notify.lives import Lives
from exporters.notify.notice import Facts, Identity
from exporters.notify.outbox import Outbox
from exporters.notify.settings import Settings
from exporters.notify.statefile import KnownAlert, KnownChannel, KnownRecord, State, StateFile
from exporters.notify.ways import Way, way_of

Explain = Callable[[str], Mapping[tuple[str, str], str]]
"""What health says of a chain: sentences by signal and subject."""

_JUDGED_EVERY = 1.0
_LONGEST_TEXT = 500

_MOMENT = 0.2
"""Seconds that there are at the end for what is known to be noted, whoever has used up the rest."""

_UNWELL = frozenset({"GathersStale", "OutputFailing", "OutputBufferFilling"})
"""Alerts while which the heartbeat is not called."""

_UNHEARD, _MISSED = 60.0, 2.5
"""Seconds, and intervals, without any word of chainwatch itself after which the heartbeat is not called."""

_SUCCESS = "chainwatch", "gather_success_timestamp_seconds"
"""What tells that a node was gathered."""

_log = logging.getLogger("chainwatch.notify")


def clock() -> Callable[[], float]:
    """Return a clock: seconds since the epoch, which go on evenly if somebody sets the machine's clock."""
    apart = time.time() - time.monotonic()
    return lambda: apart + time.monotonic()


def nothing(_: str) -> Mapping[tuple[str, str], str]:
    """Explain nothing: descriptions of alerts have to do."""
    return {}


class Notifier:
    """Tells channels of alerts; see docs/notify.md.

    Readings are looked at as they are taken. Once a second it is judged which alerts hold, and what has changed goes
    to the outbox of each channel, which has a task of its own.
    """

    name = "notify"

    def __init__(
        self,
        settings: Settings,
        about: About,
        explain: Explain = nothing,
        now: Callable[[], float] | None = None,
        ways: Callable[[conf.Channel, str], Way] = way_of,
    ) -> None:
        self._settings = settings
        self._about = about
        self._explain = explain
        self._now = now or clock()
        self._alerts = {
            chain: [alert for alert in alerts if told_by_readings(alert)] for chain, alerts in settings.alerts.items()
        }
        self._known = {(chain, alert.name): alert for chain, alerts in self._alerts.items() for alert in alerts}
        self._evidence = {key: "" if of_pipeline(alert) else key[0] for key, alert in self._known.items()}
        looked_at = wanted([alert for alerts in self._alerts.values() for alert in alerts])
        self._figures = Figures({_SUCCESS: 0.0} | looked_at)
        self._lives = Lives(self._known, settings.looks)
        self._keeping = Keeping(StateFile(settings.directory), self._state)
        self._channels = [
            Channel(
                Outbox(name, channel.severity, frozenset(channel.chains), every=settings.every, repeat=settings.repeat),
                ways(channel, settings.runbooks),
                about,
                clock=self._now,
                kept=self._keeping.kept,
                changed=self._keeping.changed,
            )
            for name, channel in settings.channels.items()
        ]
        self._heartbeat = (
            Heartbeat(settings.heartbeat, settings.heartbeat_interval, self.trouble, about)
            if settings.heartbeat
            else None
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._writing: list[asyncio.Task[None]] = []
        self._remarks = Remarks(_log, "output notify")

    async def start(self) -> None:
        """Take up what was left by an earlier process, and begin to tell."""
        self._restore(await self._keeping.read())
        for channel in self._channels:
            channel.wake()
        work = [self._judge_on(), *(channel.run() for channel in self._channels)]
        if self._heartbeat:
            work.append(self._heartbeat.run())
        self._tasks = [asyncio.create_task(each, name="notify") for each in work]
        self._writing = [asyncio.create_task(self._keeping.run(), name="notify")]

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Note what alerts look at."""
        self._figures.take(readings, interval, self._now())

    def follow(self, targets: Sequence[Target]) -> None:
        """Do nothing: that a server is gone is seen when its chain is assessed."""

    async def close(self, within: float) -> None:
        """Tell what is due, within so many seconds; what is left is kept for the next start."""
        await _end(self._tasks)
        within = max(within, _MOMENT)
        try:
            async with asyncio.timeout(within):
                self.judge()
                await asyncio.gather(*(channel.close(within * 0.8) for channel in self._channels))
                await _end(self._writing)  # not before: messages wait until they are noted
                await self._keeping.flush()
        except TimeoutError:
            _log.warning("output notify: not all could be told, or kept, in time")
        finally:
            await _end(self._writing)
        if self._heartbeat:
            await self._heartbeat.close()

    def judge(self) -> None:
        """See which alerts hold now, and let every channel know."""
        now = self._now()
        held: dict[Identity, float] = {}
        for chain, alerts in self._alerts.items():
            for alert in alerts:
                held |= holding(alert, self._figures, chain, now)
        explained: dict[str, Mapping[tuple[str, str], str]] = {}

        def described(identity: Identity, value: float) -> Facts:
            return self._described(identity, value, explained)

        before = self._lives.firing.keys()
        over = self._lives.judge(held, self._assessed, described, now)
        firing = {identity: life.facts for identity, life in self._lives.firing.items() if life.facts is not None}
        changed = bool(over) or before != firing.keys()
        for channel in self._channels:
            if channel.outbox.follow(firing, over, now):
                changed = True
                channel.wake()
        if changed:
            self._keeping.changed()
        if refused := self._lives.refused:
            self._remarks.failed("many", f"too many alerts at once: {refused:,} are not told of")
        self._figures.forget(now)

    def trouble(self) -> str:
        """Return why the heartbeat is not to be called, "" if all is well."""
        now = self._now()
        heard = self._figures.assessed.get("")
        if heard is None or now - heard.last > max(_UNHEARD, _MISSED * heard.interval):
            return "nothing is heard of the gathers"
        if silent := sorted(self._settings.gathered - self._gathered(now)):
            return f"no gather of {silent[0]} has succeeded"
        unwell = sorted(identity for identity in self._lives.firing if identity.alert in _UNWELL)
        if unwell:
            whom = unwell[0].subject or unwell[0].chain
            return f"{unwell[0].alert} of {whom}"
        failing = [channel.outbox.name for channel in self._channels if channel.failing]
        return f"channel {failing[0]} is not told" if failing else ""

    def _gathered(self, now: float) -> set[str]:
        return {chain for chain in self._settings.gathered if self._figures.series(_SUCCESS, chain, now)}

    def _assessed(self, identity: Identity) -> Assessed | None:
        """Return when that was last looked at which an alert is of; None while nothing can be known of it.

        So it is with what fires and a node said of itself, while the node is down.
        """
        alert = self._known.get((identity.chain, identity.alert))
        if alert is not None and told_by_node(alert) and self._lives.fires(identity):
            found = self._figures.findings(identity.chain)
            if any(each.signal == "silent" or each[:2] == ("node_down", identity.subject) for each in found):
                return None
        return self._figures.assessed.get(self._evidence.get((identity.chain, identity.alert), ""))

    def _described(
        self, identity: Identity, value: float, explained: dict[str, Mapping[tuple[str, str], str]]
    ) -> Facts:
        """Return what is to be said of an alert: health's own sentence where it has one."""
        alert = self._known[identity.chain, identity.alert]
        assert alert.severity is not None
        text = ""
        if alert.signal:
            if identity.chain not in explained:
                explained[identity.chain] = self._explained(identity.chain)
            text = explained[identity.chain].get((alert.signal, identity.subject), "")
        text = text or alert.description.format(
            chain=identity.chain or NOBODY, subject=identity.subject, value=in_unit(value, alert.unit)
        )
        runbook = runbook_url(alert, self._settings.runbooks) if self._settings.runbooks else ""
        return Facts(alert.severity, alert.summary, excerpt(text, _LONGEST_TEXT), runbook)

    def _explained(self, chain: str) -> Mapping[tuple[str, str], str]:
        try:
            return self._explain(chain)
        except Exception as error:  # noqa: BLE001 - an alert without its sentence is better than none
            self._remarks.failed("explain", f"health can't say what it found: {excerpt(repr(error))}")
            return {}

    async def _judge_on(self) -> None:
        while True:
            try:
                self.judge()
            except Exception as error:  # noqa: BLE001 - a defect costs a judgement, and the next may go well
                _log.debug("output notify: a defect", exc_info=error)
                self._remarks.failed("judge", f"a defect: {excerpt(repr(error))}")
            await asyncio.sleep(_JUDGED_EVERY)

    def _state(self) -> State:
        return State(
            firing=[
                KnownAlert(identity, life.fired, life.facts)
                for identity, life in self._lives.firing.items()
                if life.fired is not None and life.facts is not None
            ],
            channels={
                channel.outbox.name: KnownChannel(
                    [KnownRecord(*known) for known in channel.outbox.records.items()], channel.outbox.left_out
                )
                for channel in self._channels
            },
        )

    def _restore(self, state: State) -> None:
        now = self._now()
        for alert in state.firing:
            now_said = self._known.get((alert.identity.chain, alert.identity.alert))
            severity = now_said.severity if now_said and now_said.severity else alert.facts.severity
            self._lives.restore(alert.identity, min(alert.fired, now), replace(alert.facts, severity=severity))
        for channel in self._channels:
            before = state.channels.get(channel.outbox.name, KnownChannel())
            channel.outbox.left_out = max(0, before.left_out)
            for known in before.records:
                channel.outbox.restore(known.identity, known.record.no_later_than(now))


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
