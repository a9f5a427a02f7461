"""What a right file says, and what is wrong with files that can't be read at all."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.configuration import (
    Address,
    Agent,
    Chain,
    Configuration,
    DnsServer,
    FileServer,
    Influxdb,
    Mistake,
    Prometheus,
    Shard,
    StaticServer,
    Stdout,
    Telegraf,
    WrongConfiguration,
    read_configuration,
    schedule,
)

KINDS = {"ethereum", "nodeos"}
CHAIN = "chains: [{name: a, kind: nodeos, servers: [http://a:1]}]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file to write."""
    return tmp_path / "chainwatch.yaml"


def read(
    file: Path, text: str, environ: Mapping[str, str] | None = None, warn: Callable[[Mistake], None] | None = None
) -> Configuration:
    """Return what a text says as a configuration file."""
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return read_configuration(file, environ or {}, KINDS, warn)


def mistakes(file: Path, text: str, environ: Mapping[str, str] | None = None) -> list[Mistake]:
    """Return what is wrong with it."""
    with pytest.raises(WrongConfiguration) as caught:
        read(file, text, environ)
    return caught.value.mistakes


def test_the_configuration_of_the_documentation(file: Path) -> None:
    text = """
        agent:
          interval: 20s
          timeout: 5s
          state_dir: state
        chains:
          - name: lab
            kind: ethereum
            block_period: 15s
            metrics: [chain.inserts, p2p]
            labels: {dc: east}
            servers:
              - http://127.0.0.1:8545
              - url: http://sealer-1:8545
                name: sealer-1
                role: sealer
                metrics_url: http://sealer-1:6060/debug/metrics
              - dns: tasks.nodeos
                port: 8888
                role: worker
              - file: nodes/*.yaml
        outputs:
          prometheus: {listen: 127.0.0.1:9274}
          influxdb:
            - {url: http://127.0.0.1:8086, database: chainwatch}
            - {url: http://127.0.0.1:8087, org: o, bucket: b, token: ${INFLUX_TOKEN}}
    """
    configuration = read(file, text, {"INFLUX_TOKEN": "t"})
    assert configuration.agent.model_dump() == {
        "interval": 20.0,
        "timeout": 5.0,
        "jitter": 0.0,
        "state_dir": file.parent / "state",
        "shard": None,
        "shutdown_timeout": 5.0,
    }
    (chain,) = configuration.chains
    assert (chain.name, chain.kind, chain.block_period, chain.labels) == ("lab", "ethereum", 15.0, {"dc": "east"})
    assert chain.metrics == ("chain.inserts", "p2p")
    assert chain.servers == (
        StaticServer(url="http://127.0.0.1:8545"),
        StaticServer(
            url="http://sealer-1:8545",
            name="sealer-1",
            role="sealer",
            metrics_url="http://sealer-1:6060/debug/metrics",
        ),
        DnsServer(dns="tasks.nodeos", port=8888, role="worker"),
        FileServer(file=f"{file.parent}/nodes/*.yaml"),
    )
    outputs = configuration.outputs
    assert outputs.prometheus == Prometheus(listen="127.0.0.1:9274")
    assert outputs.prometheus.listen == Address("127.0.0.1", 9274)
    older, newer = outputs.influxdb
    assert (older.url, older.database, older.create_database) == ("http://127.0.0.1:8086", "chainwatch", True)
    assert (older.buffer, older.batch_bytes, older.output_name) == (64 << 20, 1 << 20, "influxdb-127.0.0.1-8086")
    assert newer.token is not None
    assert (newer.org, newer.bucket, newer.token.get_secret_value()) == ("o", "b", "t")
    assert (outputs.telegraf, outputs.stdout) == (None, None)


def test_defaults(file: Path) -> None:
    configuration = read(file, CHAIN)
    assert configuration.agent.interval == 10.0
    assert configuration.agent.state_dir == file.parent / "state"
    assert not configuration.outputs
    assert configuration.chains[0].metrics is None


@pytest.mark.parametrize(
    ("outputs", "kind"), [("prometheus:", Prometheus), ("telegraf:", Telegraf), ("stdout: {}", Stdout)]
)
def test_an_output_without_keys_is_turned_on(file: Path, outputs: str, kind: type) -> None:
    configuration = read(file, f"{CHAIN}outputs:\n  {outputs}\n")
    (given,) = filter(None, dict(configuration.outputs).values())
    assert isinstance(given, kind)
    assert configuration.outputs


def test_sections_without_keys_are_their_defaults(file: Path) -> None:
    assert read(file, f"agent:\n{CHAIN}outputs:\n") == read(file, CHAIN)


def test_one_influxdb_needs_no_list(file: Path) -> None:
    one = read(file, CHAIN + "outputs: {influxdb: {url: http://i:1, database: d}}")
    assert one == read(file, CHAIN + "outputs: {influxdb: [{url: http://i:1, database: d}]}")
    assert one.outputs.influxdb == (Influxdb(url="http://i:1", database="d"),)


@pytest.mark.parametrize("value", ["12345", "007", "yes", "null", "~", "1.50", "2024-01-01", "[a]", "a: b", "#x", "*x"])
def test_texts_from_the_environment_stay_as_they_are(file: Path, value: str) -> None:
    text = CHAIN + "outputs: {influxdb: {url: http://i:1, database: ${V}, username: '${V}', password: ${V}}}"
    (influxdb,) = read(file, text, {"V": value}).outputs.influxdb
    assert influxdb.password is not None
    assert (influxdb.database, influxdb.username, influxdb.password.get_secret_value()) == (value, value, value)


def test_numbers_and_booleans_may_come_from_the_environment(file: Path) -> None:
    text = """
        agent: {interval: ${INTERVAL}, jitter: ${JITTER:-0}}
        chains: [{name: 1, kind: nodeos, servers: [{dns: a.test, port: ${PORT}}]}]
        outputs: {influxdb: {url: http://i:1, database: d, create_database: ${CREATE}, buffer: ${BUFFER}}}
    """
    configuration = read(file, text, {"INTERVAL": "1m", "PORT": "8888", "CREATE": "false", "BUFFER": "1MiB"})
    assert configuration.agent.interval == 60.0
    assert configuration.chains[0].name == "1"
    assert configuration.chains[0].servers[0] == DnsServer(dns="a.test", port=8888)
    assert configuration.outputs.influxdb[0].create_database is False
    assert configuration.outputs.influxdb[0].buffer == 1 << 20


def test_keys_may_be_merged_from_an_anchor(file: Path) -> None:
    text = """
        chains:
          - &lab
            name: a
            kind: ethereum
            interval: 3s
            servers: [http://a:1]
          - <<: *lab
            name: b
            timeout: 1s
    """
    first, second = read(file, text).chains
    assert second == first.model_copy(update={"name": "b", "timeout": 1.0})


def test_relative_paths_are_relative_to_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "secret").write_text("s3cret\n")
    text = """
        agent: {state_dir: ../buffers}
        chains: [{name: a, kind: nodeos, servers: [file: "../nodes*.yaml", file: /etc/nodes.yaml]}]
        outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token_file: secret}}
    """.replace('[file: "../nodes*.yaml", file: /etc/nodes.yaml]', "[{file: ../nodes*.yaml}, {file: /etc/nodes.yaml}]")
    file.write_text(textwrap.dedent(text))
    monkeypatch.chdir(file.parent.parent)
    configuration = read_configuration(Path(file.parent.name) / file.name, {}, KINDS)
    assert configuration.agent.state_dir == file.parent / "../buffers"
    near, far = configuration.chains[0].servers
    assert isinstance(near, FileServer)
    assert isinstance(far, FileServer)
    assert (near.file, far.file) == (f"{file.parent}/../nodes*.yaml", "/etc/nodes.yaml")
    token = configuration.outputs.influxdb[0].token
    assert token is not None
    assert token.get_secret_value() == "s3cret"


def test_a_directory_with_a_pattern_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]*"
    folder.mkdir()
    text = "chains: [{name: a, kind: nodeos, servers: [{file: nodes.yaml}]}]"
    (server,) = read(folder / "chainwatch.yaml", text).chains[0].servers
    assert isinstance(server, FileServer)
    assert server.file == f"{tmp_path}/a[[]b][*]/nodes.yaml"


def test_a_secret_that_changed_in_its_file_makes_another_output(file: Path) -> None:
    text = CHAIN + "outputs: {influxdb: {url: http://i:1, database: d, username: u, password_file: secret}}"
    (file.parent / "secret").write_text("one")
    one = read(file, text)
    assert one == read(file, text)
    (file.parent / "secret").write_text("two")
    two = read(file, text)
    assert one.outputs != two.outputs
    assert one.chains == two.chains
    assert one.agent == two.agent


def test_models_do_not_change(file: Path) -> None:
    configuration = read(file, CHAIN)
    with pytest.raises(ValueError, match="frozen"):
        configuration.agent = Agent()  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        configuration.chains[0].name = "b"  # type: ignore[misc]


def test_timeouts_longer_than_their_interval_are_warned_of(file: Path) -> None:
    text = """
        agent: {interval: 10s, timeout: 11s}
        chains:
          - name: a
            kind: nodeos
            interval: 2s
            timeout: 2s
            servers:
              - http://a:1
              - url: http://b:1
                timeout: 3s
              - url: http://c:1
                interval: 1s
          - name: b
            kind: nodeos
            interval: 5s
            servers: [http://a:1]
    """
    warned: list[Mistake] = []
    read(file, text, warn=warned.append)
    assert [(mistake.line, mistake.key) for mistake in warned] == [
        (2, "agent.timeout"),
        (11, "chains[0].servers[1].timeout"),
        (13, "chains[0].servers[2].interval"),
        (16, "chains[1].interval"),
    ]
    assert str(warned[0]) == (
        f"{file}:2: agent.timeout: makes the timeout, 11s, longer than the interval, 10s; slow nodes miss ticks"
    )


@pytest.mark.parametrize(("interval", "timeout"), [(10.0, 5.0), (5.0, 5.0), (2.0, 2.0)])
def test_the_timeout_is_no_longer_than_a_short_interval(interval: float, timeout: float) -> None:
    server = StaticServer(url="http://a:1")
    chain = Chain(name="a", kind="nodeos", servers=[server], interval=interval)
    assert schedule(Agent(), chain, server) == (interval, timeout)
    assert schedule(Agent(timeout=7), chain, server) == (interval, 7.0)
    assert schedule(Agent(timeout=7), chain, StaticServer(url="http://a:1", interval=1, timeout=0.5)) == (1.0, 0.5)


def test_kinds_are_those_there_are_sources_for(file: Path) -> None:
    text = CHAIN.replace("nodeos", "added")
    with pytest.raises(WrongConfiguration):
        read(file, text)
    assert read_configuration(file, {}, {"added"}).chains[0].kind == "added"
    with pytest.raises(WrongConfiguration, match="is no kind of chain"):
        read_configuration(file, {})


def test_mistakes_come_by_line_and_all_at_once(file: Path) -> None:
    found = mistakes(file, "outputs: {x: 1}\nagent: {interval: x, y: 2}\nchains: []\n")
    assert [mistake.line for mistake in found] == [1, 2, 2, 3]


def test_the_exception_says_all_of_them(file: Path) -> None:
    with pytest.raises(WrongConfiguration) as caught:
        read(file, "agent: {x: 1}")
    assert str(caught.value) == "\n".join(map(str, caught.value.mistakes))
    assert len(caught.value.mistakes) == 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("#" * (1 << 20) + "\n")
    for path, said in (
        (tmp_path / "missing", "cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "large", "is longer than 1 MiB; is this the right file?"),
    ):
        with pytest.raises(WrongConfiguration) as caught:
            read_configuration(path, {}, KINDS)
        assert caught.value.mistakes == [Mistake(str(path), 0, "", said)]


def test_a_byte_order_mark_and_other_line_ends_are_no_mistake(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + CHAIN.encode() + b"agent:\r\n  interval: 5s\r\n  timeout: 1x\r\n")
    with pytest.raises(WrongConfiguration) as caught:
        read_configuration(file, {}, KINDS)
    assert [mistake.line for mistake in caught.value.mistakes] == [4]


def test_a_large_file_is_read_in_reasonable_time(file: Path) -> None:
    servers = "".join(f"      - {{url: 'http://n{n}:8545', role: sealer}}\n" for n in range(500))
    text = "chains:\n  - name: lab\n    kind: ethereum\n    servers:\n" + servers
    file.write_text(text)
    begun = time.process_time()
    assert len(read_configuration(file, {}, KINDS).chains[0].servers) == 500
    assert time.process_time() - begun < 5


YAML = st.recursive(
    st.sampled_from(
        ["", "~", "x", "1", "true", "10s", "http://a:1", "'q'", "${A}", "${B:-1}", "${", "*a", "&a x", "!t x"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        "agent",
                        "chains",
                        "outputs",
                        "servers",
                        "name",
                        "kind",
                        "url",
                        "dns",
                        "file",
                        "influxdb",
                        "x",
                        "<<",
                    ]
                ),
                inner,
            ),
            max_size=4,
        ).map(lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items) + "}")
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.one_of(YAML, st.text(), st.binary()))
def test_any_file_is_a_configuration_or_told_to_be_wrong(file: Path, content: str | bytes) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    told: list[Mistake] | None = None
    try:
        read_configuration(file, {"A": "a"}, KINDS)
    except WrongConfiguration as wrong:
        told = wrong.mistakes
    assert told is None or told
    assert all(str(mistake).isprintable() for mistake in told or ())


def test_a_shard_is_written_in_two_ways(file: Path) -> None:
    text = """
        agent: {{shard: {shard}}}
        chains:
          - {{name: lab, kind: nodeos, servers: ["http://a:1"]}}
    """
    environment = {"SLOT": "2"}
    short = read(file, text.format(shard="${SLOT}/3"), environment).agent.shard
    assert short == read(file, text.format(shard="{slot: ${SLOT}, of: 3}"), environment).agent.shard
    assert short == Shard(slot=2, of=3)
    behind = read(file, text.format(shard="{slot: ${SLOT}, of: tasks.collector}"), environment).agent.shard
    assert behind == Shard(slot=2, of="tasks.collector")
