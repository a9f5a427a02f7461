"""chainwatch itself: whether it gathers, whether what it gathers arrives, and what that costs."""

from __future__ import annotations

from collector.catalogue import M
from dashboards.boards.making import chart, figure, table
from dashboards.limits import LIMITS
from dashboards.metrics import PROCESS_CPU, PROCESS_FILES, PROCESS_FILES_LIMIT, PROCESS_MEMORY, PROCESS_START, UP
from dashboards.panels import GREEN, ORANGE, RED, Board, Line, Panel, Row, above
from dashboards.queries.expressions import Age, Increase, Prom, Rate, Ratio, Value

_WORST = 10
"""Nodes that are shown of hundreds: those that fare worst."""

_OURS = "and on (job, instance) {1}"
"""Of what every program tells of itself, what collectors tell: where all jobs are picked, there are others."""

_NOW = Row(
    "Now",
    (
        figure(
            "Collectors",
            "Collectors that Prometheus scrapes, of jobs in which one has answered within seven days. One that does "
            "not answer sees nothing: all else here may be old.",
            "short",
            (
                Prom(
                    "max by (job, instance) ({0} and on (job) last_over_time({1}[7d]))", (UP, M.chainwatch_build_info)
                ),
                "{{instance}}",
            ),
            words=((0, "does not answer", RED), (1, "answers", GREEN)),
            width=6,
        ),
        figure(
            "Configuration",
            "Whether the configuration file was right when it was last read. While it is wrong, that before it holds.",
            "short",
            (Value(M.chainwatch_configuration_valid, (), "min"), ""),
            words=((0, "wrong", RED), (1, "right", GREEN)),
            width=4,
        ),
        figure(
            "Servers",
            "Servers that are asked at present, all chains together.",
            "short",
            (Value(M.chainwatch_servers, (), "sum"), ""),
            width=4,
        ),
        figure(
            "Lost in the last hour",
            "Readings that outputs lost within an hour: the buffer was full, or the server refused them.",
            "short",
            (Increase(M.chainwatch_readings_dropped_total, (), seconds=3600), ""),
            steps=above(1),
            width=4,
        ),
        table(
            "Versions",
            "The collectors that run, their version, and for how long they have run.",
            Line(
                Prom(
                    "max by (job, instance, version) ({1}) "
                    "* on (job, instance) group_left () (time() - max by (job, instance) ({0}))",
                    (PROCESS_START, M.chainwatch_build_info),
                ),
                "Up for",
                "dtdurations",
            ),
            labels=("job", "instance", "version"),
            width=6,
            height=4,
        ),
    ),
)

_GATHERS = Row(
    "Gathers: from the nodes to chainwatch",
    (
        chart(
            "Gathers",
            "Gathers begun per second, by chain: as many as servers are due.",
            "ops",
            (Rate(M.chainwatch_gathers_total, ("chain",)), "{{chain}}"),
            width=6,
        ),
        chart(
            "Servers",
            "Servers that are asked, by chain; a step that nobody made is a discovery gone wrong.",
            "short",
            (Value(M.chainwatch_servers, ("chain",), "sum"), "{{chain}}"),
            (Rate(M.chainwatch_discovery_errors_total, ("chain",)), "{{chain}}: discovery errors per second"),
            width=6,
        ),
        chart(
            "Errors by kind",
            "Gathers, or parts of one, that failed, by kind: refused is a node that does not run, timeout one that "
            "hangs.",
            "ops",
            (Rate(M.chainwatch_gather_errors_total, ("chain", "kind")), "{{chain}} {{kind}}"),
            stacked=True,
            width=6,
        ),
        chart(
            "Since a gather last succeeded",
            "Of the node of each chain that answered last. Beyond the line nobody watches the chain.",
            "s",
            (Age(M.chainwatch_gather_success_timestamp_seconds, ("chain",)), "{{chain}}"),
            steps=above(LIMITS.stale_seconds),
            width=6,
        ),
        chart(
            "Duration of a gather",
            "The mean time that a gather takes, by chain. Near the timeout, nodes hang or the network does.",
            "s",
            (
                Ratio(
                    Rate(M.chainwatch_gather_seconds_total, ("chain",)),
                    Rate(M.chainwatch_gathers_total, ("chain",)),
                ),
                "{{chain}}",
            ),
        ),
        chart(
            "Missed gathers",
            "Share of gathers that were not begun because the one before was not over, by chain: the interval is "
            "too short for how long nodes take.",
            "percentunit",
            (
                Prom(
                    "sum by (chain) (rate({0}[{window}])) / "
                    "(sum by (chain) (rate({0}[{window}])) + sum by (chain) (rate({1}[{window}])))",
                    (M.chainwatch_gathers_missed_total, M.chainwatch_gathers_total),
                ),
                "{{chain}}",
            ),
            steps=above(LIMITS.missed_share, ORANGE),
        ),
        chart(
            "Lateness of gathers",
            "The mean delay between when a gather was due and when it began. Above some milliseconds, the collector's "
            "machine is short of CPU.",
            "s",
            (
                Ratio(
                    Rate(M.chainwatch_gather_late_seconds_total, ("chain",)),
                    Rate(M.chainwatch_gathers_total, ("chain",)),
                ),
                "{{chain}}",
            ),
        ),
        Panel(
            "bargauge",
            f"The {_WORST} nodes with most errors",
            "Errors of gathers within the last hour, of those nodes that have most.",
            (
                Line(
                    Prom(
                        f"topk({_WORST}, sum by (chain, node) (increase({{0}}[1h])) > 0)",
                        (M.chainwatch_gather_errors_total,),
                    ),
                    "{{chain}} {{node}}",
                ),
            ),
            "short",
            above(1, ORANGE),
            width=12,
        ),
        Panel(
            "bargauge",
            f"The {_WORST} slowest nodes",
            "Time that the last gather took, of those nodes that take longest.",
            (
                Line(
                    Prom(f"topk({_WORST}, max by (chain, node) ({{0}}))", (M.chain_node_gather_duration_seconds,)),
                    "{{chain}} {{node}}",
                ),
            ),
            "s",
            width=12,
        ),
    ),
)

_OUTPUTS = Row(
    "Outputs: from chainwatch to databases",
    (
        chart(
            "Delivered",
            "Readings per second that each output's server has taken.",
            "ops",
            (Rate(M.chainwatch_readings_delivered_total, ("output",)), "{{output}}"),
        ),
        chart(
            "Lost",
            "Readings per second that are lost: the buffer was full, the server refused them, or they were left at "
            "the end.",
            "ops",
            (Rate(M.chainwatch_readings_dropped_total, ("output",)), "{{output}}"),
        ),
        chart(
            "Errors of requests",
            "Requests per second that failed, by output. What they carried waits, and is sent again.",
            "ops",
            (Rate(M.chainwatch_output_errors_total, ("output",)), "{{output}}"),
        ),
        chart(
            "Buffers",
            "Share of the room for readings that wait for an output's server, which is taken. When all is, the "
            "oldest are lost.",
            "percentunit",
            (
                Ratio(
                    Value(M.chainwatch_buffer_bytes, ("output",)),
                    Value(M.chainwatch_buffer_limit_bytes, ("output",)),
                ),
                "{{output}}",
            ),
            steps=above(LIMITS.buffer_share),
        ),
        chart(
            "Readings that wait",
            "Readings that wait for each output's server.",
            "short",
            (Value(M.chainwatch_buffer_readings, ("output",)), "{{output}}"),
        ),
        chart(
            "Time in requests",
            "Share of time that each output spends in requests to its server, of the collector that spends most: at "
            "100 % it is always waiting for it.",
            "percentunit",
            (Rate(M.chainwatch_output_seconds_total, ("output",), "max"), "{{output}}"),
        ),
    ),
)

_PUSHES = Row(
    "Nodes that push (ethstats)",
    (
        chart(
            "Connections",
            "Nodes that are connected at present, by chain.",
            "short",
            (Value(M.chainwatch_ethstats_connections, ("chain",)), "{{chain}}"),
        ),
        chart(
            "Logins",
            "Logins within ten minutes, by how they went: many of a kind other than ok are nodes with a wrong secret "
            "or name.",
            "short",
            (Increase(M.chainwatch_ethstats_logins_total, ("chain", "kind")), "{{chain}} {{kind}}"),
        ),
        chart(
            "Messages",
            "Messages per second, by type.",
            "ops",
            (Rate(M.chainwatch_ethstats_messages_total, ("kind",)), "{{kind}}"),
            stacked=True,
        ),
        chart(
            "Messages not read",
            "Messages per second that could not be read, by type, or were left out, by why.",
            "ops",
            (Rate(M.chainwatch_ethstats_unreadable_total, ("chain", "kind")), "{{chain}} unreadable {{kind}}"),
            (Rate(M.chainwatch_ethstats_dropped_total, ("chain", "kind")), "{{chain}} left out: {{kind}}"),
        ),
        chart(
            "Connections refused",
            "Connections per second that ended before a login, by why.",
            "ops",
            (Rate(M.chainwatch_ethstats_refused_connections_total, ("kind",)), "{{kind}}"),
        ),
        chart(
            "Pings that wait",
            "Pings of nodes that wait for their pong at a time, on average, by chain; each waits 10 ms at least.",
            "short",
            (Rate(M.chainwatch_ethstats_pong_seconds_total, ("chain",)), "{{chain}}"),
        ),
    ),
)

_TOLD = Row(
    "Alerts that chainwatch itself tells (outputs.notify)",
    (
        chart(
            "Alerts told",
            "Alerts within ten minutes of which a channel was told that they fire, or are over, by how that went: "
            "what failed is tried again, what was dropped is not.",
            "short",
            (Increase(M.chainwatch_notifications_total, ("channel", "result")), "{{channel}} {{result}}"),
        ),
        chart(
            "Alerts that wait",
            "Alerts of which a channel is still to be told: what does not come back to 0 is a receiver that is away.",
            "short",
            (Value(M.chainwatch_notifications_waiting, ("channel",)), "{{channel}}"),
        ),
        chart(
            "Since the heartbeat",
            "Time since each collector last called the address of its heartbeat with success.",
            "s",
            (Prom("time() - max by (instance) ({0} > 0)", (M.chainwatch_heartbeat_timestamp_seconds,)), "{{instance}}"),
        ),
    ),
)

_PROCESS = Row(
    "The process",
    (
        chart(
            "CPU",
            "CPUs that each collector keeps busy; it has one to itself at most, and is late when that is not enough.",
            "percentunit",
            (
                Prom(f"sum by (instance) (rate({{0}}[{{window}}]) {_OURS})", (PROCESS_CPU, M.chainwatch_build_info)),
                "{{instance}}",
            ),
            steps=above(0.9, ORANGE),
        ),
        chart(
            "Memory",
            "Memory of each collector. It grows with buffers that fill, up to their limits.",
            "bytes",
            (Prom(f"max by (instance) ({{0}} {_OURS})", (PROCESS_MEMORY, M.chainwatch_build_info)), "{{instance}}"),
        ),
        chart(
            "Open files",
            "Open files and connections of each collector, of those that the system lets it have.",
            "percentunit",
            (
                Prom(
                    f"max by (instance) ({{0}} / {{2}} {_OURS})",
                    (PROCESS_FILES, M.chainwatch_build_info, PROCESS_FILES_LIMIT),
                ),
                "{{instance}}",
            ),
            steps=above(0.8, ORANGE),
        ),
        chart(
            "Readings and fields",
            "What is gathered per second, all chains together: it is what databases have to take.",
            "ops",
            (Rate(M.chainwatch_readings_total, ()), "readings"),
            (Rate(M.chainwatch_fields_total, ()), "fields"),
            width=12,
        ),
        chart(
            "Configurations taken over",
            "Configurations taken over, and kept out because they were wrong, within ten minutes.",
            "short",
            (Increase(M.chainwatch_reloads_total, ()), "taken over"),
            (Increase(M.chainwatch_reload_failures_total, ()), "kept out"),
            width=12,
        ),
    ),
)

PIPELINE = Board(
    uid="chainwatch-pipeline",
    title="Pipeline",
    description="chainwatch itself: whether it gathers, whether what it gathers arrives, and what that costs.",
    variables=("chain",),
    rows=(_NOW, _GATHERS, _OUTPUTS, _PUSHES, _TOLD, _PROCESS),
)
