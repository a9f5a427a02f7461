"""The services that watch the chain, and those that keep and show what is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from compose.options.kinds import Options
from compose.options.sections import Supporting
from compose.options.telling import ALERTMANAGER, COLLECTOR, teller
from compose.rendering import collecting
from compose.rendering.document import Shared, based_on
from compose.rendering.services import (
    INNER,
    OUTSIDE,
    READS_KEYS,
    SECRETS,
    SETUP,
    Healthcheck,
    after,
    image,
    labels,
    limits,
    published,
    python_asks,
    shown_outside,
)
from compose.rendering.telling import handed_secrets


class Monitoring:
    """Makes the services of a cluster one by one."""

    def __init__(self, options: Options, common: Shared) -> None:
        self._options = options
        self._common = common

    def collector(
        self,
        own: Shared,
        before: list[str],
        networks: Sequence[str] | Mapping[str, Any],
        volumes: Sequence[str],
        more_labels: Mapping[str, str],
    ) -> dict[str, Any]:
        """Return chainwatch itself, which waits for the services before it.

        It is outside as well to show its page, or to tell somebody.
        """
        options = self._options
        shown = published(options.publish.address, [(options.publish.page, collecting.PAGE_PORT)])
        if (shown or teller(options) == COLLECTOR) and OUTSIDE not in networks:
            networks = {**networks, OUTSIDE: {}} if isinstance(networks, Mapping) else [*networks, OUTSIDE]
        verbose = ["--verbose"] if options.service.log_level == "DEBUG" else []
        return self._service(
            "collector",
            options.collector,
            {
                "command": ["run", "--config", "/etc/chainwatch/chainwatch.yaml", *verbose],
                "depends_on": after(*before, one_shot=[SETUP]),
                "healthcheck": Healthcheck(python_asks(collecting.PROMETHEUS_PORT), interval=5).content(),
                **({"ports": shown} if shown else {}),
                "networks": networks,
                "volumes": [
                    "./config/collector:/etc/chainwatch:ro",
                    "collector:" + collecting.STATE,
                    SECRETS,
                    *volumes,
                ],
            },
            own,
            more_labels,
        )

    def beside(self, own: Shared) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the services that keep and show what is seen, and those that see the machine."""
        options = self._options
        made: dict[str, tuple[Supporting, Callable[[], dict[str, Any]]]] = {
            "prometheus": (options.prometheus, self.prometheus),
            "alertmanager": (options.alertmanager, self.alertmanager),
            "influxdb": (options.influxdb, self.influxdb),
            "influxdb-setup": (options.influxdb, partial(self.influxdb_setup, own)),
            "grafana": (options.grafana, self.grafana),
            "node-exporter": (options.node_exporter, self.node_exporter),
            "cadvisor": (options.cadvisor, self.cadvisor),
        }
        yield from ((name, make()) for name, (settings, make) in made.items() if settings.count)

    def prometheus(self) -> dict[str, Any]:
        """Return Prometheus."""
        options = self._options
        return self._service(
            "prometheus",
            options.prometheus,
            {
                "image": image(options, options.images.prometheus),
                "command": [
                    "--config.file=/etc/prometheus/prometheus.yaml",
                    "--storage.tsdb.path=/prometheus",
                    f"--storage.tsdb.retention.time={options.prometheus.retention}d",
                ],
                "read_only": True,
                "stop_grace_period": "1m",
                "healthcheck": Healthcheck(_wget("http://127.0.0.1:9090/-/ready")).content(),
                "volumes": ["./config/prometheus:/etc/prometheus:ro", "prometheus:/prometheus"],
                **shown_outside(options, (options.publish.prometheus, 9090)),
            },
        )

    def alertmanager(self) -> dict[str, Any]:
        """Return Alertmanager, which reaches the world in any case: there are those that it tells."""
        options = self._options
        secrets = handed_secrets(options) if teller(options) == ALERTMANAGER else {}
        return self._service(
            "alertmanager",
            options.alertmanager,
            {
                "image": image(options, options.images.alertmanager),
                "command": [
                    "--config.file=/etc/alertmanager/alertmanager.yaml",
                    "--storage.path=/alertmanager",
                    "--cluster.listen-address=",
                ],
                "read_only": True,
                **({"depends_on": after(one_shot=[SETUP])} if secrets else {}),
                "healthcheck": Healthcheck(_wget("http://127.0.0.1:9093/-/ready")).content(),
                "volumes": [
                    "./config/alertmanager:/etc/alertmanager:ro",
                    "alertmanager:/alertmanager",
                    *([SECRETS] if secrets else []),
                ],
                **shown_outside(options, (options.publish.alertmanager, 9093)),
                "networks": [INNER, OUTSIDE],
            },
        )

    def influxdb(self) -> dict[str, Any]:
        """Return InfluxDB, which asks everybody for a password."""
        options = self._options
        return self._service(
            "influxdb",
            options.influxdb,
            {
                "image": image(options, options.images.influxdb),
                "entrypoint": ["influxd"],
                "environment": {
                    "INFLUXDB_HTTP_AUTH_ENABLED": "true",
                    "INFLUXDB_HTTP_LOG_ENABLED": "false",
                    "INFLUXDB_DATA_INDEX_VERSION": "tsi1",
                    "INFLUXDB_DATA_QUERY_LOG_ENABLED": "false",
                    "INFLUXDB_MONITOR_STORE_ENABLED": "false",
                    "INFLUXDB_REPORTING_DISABLED": "true",
                },
                "stop_grace_period": "1m",
                "cap_add": ["DAC_OVERRIDE"],  # its folder is another user's in the image, and it runs as root
                "healthcheck": Healthcheck("curl --noproxy '*' -fsS -o /dev/null http://127.0.0.1:8086/ping").content(),
                "volumes": ["influxdb:/var/lib/influxdb"],
                "networks": [INNER],
            },
        )

    def influxdb_setup(self, own: Shared) -> dict[str, Any]:
        """Return the one-shot service that makes InfluxDB's database and users."""
        options = self._options
        return based_on(
            own,
            {
                "restart": "on-failure",
                "entrypoint": ["python", "-m", "compose.influxdb_users"],
                "command": [
                    "--url=http://influxdb:8086",
                    f"--database={collecting.DATABASE}",
                    f"--days={options.influxdb.retention}",
                    "--admin=admin:/keys/secrets/influxdb-admin",
                    "--write=collector:/keys/secrets/influxdb-collector",
                    "--read=grafana:/keys/secrets/influxdb-grafana",
                ],
                "user": "0:0",
                "cap_add": READS_KEYS,
                **limits(0.5, 128),
                "depends_on": after("influxdb", one_shot=[SETUP]),
                "networks": [INNER],
                "volumes": ["./keys/secrets:/keys/secrets:ro"],
                "labels": labels(options, "influxdb-setup", {}),
            },
        )

    def grafana(self) -> dict[str, Any]:
        """Return Grafana."""
        options = self._options
        return self._service(
            "grafana",
            options.grafana,
            {
                "image": image(options, options.images.grafana),
                "environment": {
                    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
                    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
                    "GF_ANALYTICS_REPORTING_ENABLED": "false",
                    "GF_NEWS_NEWS_FEED_ENABLED": "false",
                    "GF_SECURITY_ADMIN_PASSWORD__FILE": "/run/chainwatch/grafana-admin",
                    "GF_SECURITY_DISABLE_GRAVATAR": "true",
                    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
                    "GF_USERS_ALLOW_SIGN_UP": "false",
                },
                "depends_on": after(one_shot=[SETUP]),
                "healthcheck": Healthcheck(_wget("http://127.0.0.1:3000/api/health")).content(),
                "volumes": [
                    "./config/grafana/provisioning:/etc/grafana/provisioning:ro",
                    "grafana:/var/lib/grafana",
                    SECRETS,
                ],
                **shown_outside(options, (options.publish.grafana, 3000)),
            },
        )

    def node_exporter(self) -> dict[str, Any]:
        """Return node-exporter: the machine's processors, memory and disks. Its network the container can't see."""
        options = self._options
        unseen = ("arp", "conntrack", "netclass", "netdev", "netstat", "sockstat", "softnet", "udp_queues")
        return self._service(
            "node-exporter",
            options.node_exporter,
            {
                "image": image(options, options.images.node_exporter),
                "command": ["--path.rootfs=/host", *(f"--no-collector.{name}" for name in unseen)],
                "pid": "host",
                "read_only": True,
                "healthcheck": Healthcheck(_wget("http://127.0.0.1:9100/"), interval=30).content(),
                "volumes": ["/:/host:ro"],
                "networks": [INNER],
            },
        )

    def cadvisor(self) -> dict[str, Any]:
        """Return cAdvisor: what each container uses."""
        options = self._options
        return self._service(
            "cadvisor",
            options.cadvisor,
            {
                "image": image(options, options.images.cadvisor),
                "command": ["--docker_only=true", "--housekeeping_interval=15s"],
                "cap_drop": [],
                "healthcheck": Healthcheck(_wget("http://127.0.0.1:8080/healthz"), interval=30).content(),
                "volumes": [
                    "/:/rootfs:ro",
                    "/var/run:/var/run:ro",
                    "/sys:/sys:ro",
                    "/var/lib/docker:/var/lib/docker:ro",
                ],
                "networks": [INNER],
            },
        )

    def _service(
        self,
        name: str,
        settings: Supporting,
        values: dict[str, Any],
        base: Shared | None = None,
        more_labels: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, Any]:
        told = labels(self._options, name, {**more_labels, **settings.labels})
        return based_on(base or self._common, {**values, **limits(settings.cpus, settings.mem), "labels": told})


def _wget(url: str) -> str:
    """Return a command of busybox, which asks no proxy."""
    return f"wget -q -Y off -O /dev/null {url}"
