"""Secrets: wherever they stand, rightly or by mistake, they are in no representation, mistake or schema."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from collector.configuration import Mistake, WrongConfiguration, json_schema, read_configuration

SECRET = "hunter2-and-more"
CHAIN = "chains: [{name: a, kind: nodeos, servers: [http://a:1]}]\n"

RIGHT = [
    "outputs: {influxdb: {url: http://i:1, database: d, username: u, password: SECRET}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: SECRET}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: ${VARIABLE}}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: ${MISSING:-SECRET}}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token_file: secret}}",
    "outputs: {influxdb: {url: http://i:1, database: d, username: u, password_file: secret}}",
]

WRONG = [
    # where it belongs, but badly written
    "outputs: {influxdb: {url: http://i:1, database: d, password: SECRET}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: [SECRET]}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: {SECRET: x}}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: {SECRET}}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token:SECRET}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, tokn:SECRET, tokn:SECRET}}",
    "outputs:\n  influxdb:\n    url: http://i:1\n    token:SECRET\n",
    "outputs:\n  influxdb:\n    url: http://i:1\n    token: a: SECRET\n",
    "outputs: {influxdb: {token: *SECRET }}",
    "outputs: {influxdb: {token: &SECRET }}",
    "outputs: {influxdb: {token: !SECRET }}",
    "outputs: {influxdb: {token: !x!SECRET }}",
    "outputs: {influxdb: {token: !SECRET! x}}",
    "outputs: {influxdb: {token: @SECRET}}",
    'outputs: {influxdb: {token: "SECRET}}',
    'outputs: {influxdb: {token: "\\SECRET"}}',
    "outputs: {influxdb: {token: %SECRET}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: ${SECRET-x}}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: ${SECRET}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: ${VARIABLE}${MISSING}}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: SECRET, token_file: secret}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token_file: lines}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token_file: SECRET}}",
    "outputs: {influxdb: {url: http://i:1, org: o, bucket: b, token: ${VARIABLE}, token: ${VARIABLE}}}",
    # where it doesn't belong
    "outputs: {influxdb: {url: 'http://u:SECRET@i:1', database: d}}",
    "outputs: {influxdb: {url: 'http://i:1?token=SECRET', database: d}}",
    "outputs: {influxdb: {url: SECRET, name: 'a/SECRET', database: d, timeout: SECRET, buffer: SECRET}}",
    "outputs: {influxdb: SECRET, prometheus: {listen: SECRET, path: SECRET, expire: SECRET}}",
    "outputs: {influxdb: {url: http://i:1, create_database: ${VARIABLE}, batch_bytes: ${VARIABLE}}}",
    "outputs: SECRET",
    "agent: {interval: SECRET, timeout: [SECRET], jitter: {a: SECRET}}",
]

WRONG_CHAINS = [
    "chains: [{name: a, kind: SECRET, servers: ['http://u:SECRET@a:x', 'SECRET', {url: 'http://SECRET'}]}]",
    "chains: [{name: a, kind: nodeos, servers: ['http://u:SECRET@a:1', 'http://u:SECRET@a:1']}]",
    "chains: [{name: a, kind: nodeos, servers: ['http://u:SECRET@a:1', {url: 'http://u:SECRET@a:1/x'}]}]",
    "chains: [{name: a, kind: nodeos, servers: ['http://u:SECRET/@a:1', 'http://u:1/SECRET@a:1']}]",
    "chains: [{name: a, kind: nodeos, metrics: [a/SECRET], servers: [{dns: 'u:SECRET@a', port: SECRET}]}]",
    "chains: [{name: a, kind: nodeos, labels: {a: [SECRET], le: SECRET}, servers: [{dns: a.test, scheme: SECRET}]}]",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file to write, with files of secrets beside it."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "lines").write_text(f"{SECRET}\n{SECRET}\n")
    return tmp_path / "chainwatch.yaml"


@pytest.mark.parametrize("text", RIGHT)
def test_a_secret_is_in_no_representation(file: Path, text: str) -> None:
    file.write_text(CHAIN + text.replace("SECRET", SECRET))
    configuration = read_configuration(file, {"VARIABLE": SECRET}, {"nodeos"})
    (influxdb,) = configuration.outputs.influxdb
    secret = influxdb.token or influxdb.password
    assert secret is not None
    assert secret.get_secret_value() == SECRET
    for shown in (
        repr(configuration),
        str(configuration),
        repr(influxdb),
        configuration.model_dump_json(),
        repr(secret),
    ):
        assert SECRET not in shown


def test_a_password_in_a_url_is_in_no_representation(file: Path) -> None:
    text = """
        chains:
          - name: a
            kind: nodeos
            servers:
              - http://u:SECRET@a:1
              - {url: 'http://u:SECRET@b:1', metrics_url: 'http://u:SECRET@b:2', timeout: 20s}
              - {dns: a.test, port: 1, metrics_url: 'http://u:SECRET@{address}:2'}
    """
    file.write_text(text.replace("SECRET", SECRET))
    warned: list[Mistake] = []
    configuration = read_configuration(file, {}, {"nodeos"}, warned.append)
    assert SECRET not in repr(configuration) + str(configuration)
    assert len(warned) == 1
    assert SECRET not in str(warned)


@pytest.mark.parametrize("text", [CHAIN + text for text in WRONG] + WRONG_CHAINS)
def test_a_secret_is_in_no_mistake(file: Path, text: str) -> None:
    file.write_text(text.replace("SECRET", SECRET))
    with pytest.raises(WrongConfiguration) as caught:
        read_configuration(file, {"VARIABLE": SECRET}, {"nodeos"})
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.mistakes)
    assert SECRET not in told.replace(str(file.parent), "")


def test_a_secret_is_in_no_schema() -> None:
    schema = json_schema()
    for key in ("password", "token", "password_file", "token_file"):
        entry = schema["$defs"]["Influxdb"]["properties"][key]
        assert "default" not in entry
        assert "example" not in json.dumps(entry)
