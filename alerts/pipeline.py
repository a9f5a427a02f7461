"""Alerts of chainwatch itself: whether chains are watched at all, and whether what is seen arrives."""

from __future__ import annotations

from alerts.alert import Alert, Compared, Signalled
from collector.catalogue import M
from collector.health.assessment import Severity
from collector.thresholds import PipelineThresholds
from dashboards.queries.expressions import Age, Increase, Prom, Ratio, Value

JOB = "chainwatch"
"""What the collector's job is called in Prometheus: that it is down is told by this name."""

TEN_MINUTES = 600.0

LONGEST_PAUSE = 120.0
"""Within so many seconds an output that fails tries again: longer pauses happen only where its server asks for them."""

_OUTPUT = ("output",)

GATHERS_MISSED = Ratio(
    Increase(M.chainwatch_gathers_missed_total, ("chain", "node"), seconds=TEN_MINUTES),
    Increase(M.chainwatch_gathers_total, ("chain", "node"), seconds=TEN_MINUTES),
)
"""Gathers of a node that were missed within ten minutes, as a share of those that were begun."""

BUFFER_USED = Ratio(Value(M.chainwatch_buffer_bytes, _OUTPUT), Value(M.chainwatch_buffer_limit_bytes, _OUTPUT))
"""Share of an output's room for readings that is taken."""


def of_pipeline(limits: PipelineThresholds) -> tuple[Alert, ...]:
    """Return the alerts of chainwatch itself."""
    return (*_of_collector(limits), *_of_outputs(limits), _WATCHDOG)


def _of_collector(limits: PipelineThresholds) -> tuple[Alert, ...]:
    return (
        Alert(
            name="CollectorDown",
            group="pipeline",
            severity=Severity.CRITICAL,
            condition=Compared(
                Prom(
                    f'min by (instance) (up{{{{job="{JOB}"}}}}) == 0\n'
                    f'or label_replace(absent(up{{{{job="{JOB}"}}}}), "instance", "any address", "", "")',
                    (),
                ),
                "any",
            ),
            of_chain=False,
            of=("instance",),
            lasts=60.0,
            keeps=0.0,
            unit="",
            summary="The collector is down.",
            description="Prometheus cannot scrape chainwatch at {subject}: no chain is watched, and alerts are blind.",
        ),
        Alert(
            name="GathersStale",
            group="pipeline",
            severity=Severity.CRITICAL,
            condition=Compared(
                Age(M.chainwatch_gather_success_timestamp_seconds, ("chain",)),
                ">",
                limits.stale_seconds,
                unless=Signalled("silent", figure=False),
            ),
            of_chain=True,
            of=(),
            lasts=30.0,
            keeps=0.0,
            unit="second",
            summary="A chain is watched no more.",
            description="The last gather of {chain} that succeeded was {value} ago, and its nodes are not known to be "
            "down: it is not watched.",
        ),
        Alert(
            name="GathersMissed",
            group="pipeline",
            severity=Severity.WARNING,
            condition=Compared(GATHERS_MISSED, ">", limits.missed_share),
            of_chain=True,
            of=("node",),
            lasts=60.0,
            keeps=120.0,
            unit="ratio",
            summary="Gathers of a node are missed.",
            description="Gathers of {subject} of {chain} that were missed in ten minutes, because the one before was "
            "not over, come to {value} of those begun: its figures are older than they should be.",
        ),
        Alert(
            name="ConfigurationInvalid",
            group="pipeline",
            severity=Severity.WARNING,
            condition=Compared(Value(M.chainwatch_configuration_valid, (), "min"), "==", 0),
            of_chain=False,
            of=(),
            lasts=60.0,
            keeps=0.0,
            unit="",
            summary="The collector's configuration is wrong.",
            description="The configuration file was wrong when last read: chainwatch goes on with the one before it, "
            "and would not start again.",
        ),
        Alert(
            name="DiscoveryFailing",
            group="pipeline",
            severity=Severity.WARNING,
            condition=Compared(Increase(M.chainwatch_discovery_errors_total, ("chain",), seconds=TEN_MINUTES), ">", 0),
            of_chain=True,
            of=(),
            lasts=0.0,
            keeps=0.0,
            unit="error",
            summary="Servers of a chain cannot be looked up.",
            description="Names or files that tell the servers of {chain} could not be read ({value} in ten minutes): "
            "those known before are kept, and new ones are not found.",
        ),
    )


def _of_outputs(limits: PipelineThresholds) -> tuple[Alert, ...]:
    window = LONGEST_PAUSE
    return (
        Alert(
            name="OutputFailing",
            group="pipeline",
            severity=Severity.CRITICAL,
            condition=Compared(
                Increase(M.chainwatch_output_errors_total, _OUTPUT, seconds=window),
                ">",
                0,
                unless=Compared(Increase(M.chainwatch_readings_delivered_total, _OUTPUT, seconds=window), ">", 0),
            ),
            of_chain=False,
            of=_OUTPUT,
            lasts=max(0.0, limits.failing_seconds - window),
            keeps=120.0,
            unit="error",
            summary="An output takes nothing.",
            description="Requests to {subject} fail ({value} in two minutes), and none succeeds: what is gathered "
            "waits in memory, and dashboards and alerts on that database see nothing.",
        ),
        Alert(
            name="OutputBufferFilling",
            group="pipeline",
            severity=Severity.WARNING,
            condition=Compared(BUFFER_USED, ">", limits.buffer_share),
            of_chain=False,
            of=_OUTPUT,
            lasts=30.0,
            keeps=120.0,
            unit="ratio",
            summary="The room for readings that wait is nearly full.",
            description="{value} of the room for readings that wait for {subject} are taken: then the oldest are lost.",
        ),
        Alert(
            name="ReadingsDropped",
            group="pipeline",
            severity=Severity.WARNING,
            condition=Compared(Increase(M.chainwatch_readings_dropped_total, _OUTPUT, seconds=TEN_MINUTES), ">", 0),
            of_chain=False,
            of=_OUTPUT,
            lasts=0.0,
            keeps=0.0,
            unit="reading",
            summary="Readings are lost.",
            description="{value} for {subject} were lost in ten minutes: its buffer was full, or its server refused "
            "them.",
        ),
    )


_WATCHDOG = Alert(
    name="Watchdog",
    group="pipeline",
    severity=None,
    condition=Compared(Prom("vector(1)", ()), "any"),
    of_chain=False,
    of=(),
    lasts=0.0,
    keeps=0.0,
    unit="",
    summary="Alerts work.",
    description="This alert fires at all times. Whoever is told of it is to raise the alarm when it comes no more.",
)
