"""Where a cluster answers: what is told is what the compose file publishes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chainwatch.command import main
from collector.configuration import WrongConfiguration
from compose.deploying import deploy
from compose.endpoints import Endpoint, Refused, endpoint, endpoints
from compose.options.ethereum.models import Options

EIGHT = [
    "boot-p2p",
    "client-http",
    "client-p2p",
    "client-ws",
    "ethstats-http",
    "sealer-http",
    "sealer-p2p",
    "sealer-ws",
]


def deployed(output: Path, **sections: dict[str, object]) -> Path:
    """Deploy options and return the directory."""
    deploy(Options.model_validate(sections), output, lambda _: None)
    return output


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two sealers and two clients."""
    return deployed(tmp_path_factory.mktemp("usual") / "lab", sealer={"count": 2}, client={"count": 2})


def published(output: Path) -> Iterator[str]:
    """Yield the addresses of the machine that the compose file publishes, over TCP or else UDP."""
    for service in yaml.safe_load((output / "compose.yaml").read_text())["services"].values():
        for port in service.get("ports", []):
            yield port.rpartition("/")[0].rpartition(":")[0] or port.rpartition(":")[0]


def all_addresses(found: dict[str, Endpoint]) -> list[str]:
    """Return the addresses of all endpoints."""
    return [address for one in found.values() for address in one["address"]]


def test_the_eight_of_the_dcos_package_come_first(usual: Path) -> None:
    found = endpoints(usual)
    assert list(found)[:8] == EIGHT
    assert found["client-http"] == {"address": ["127.0.0.1:8500"], "dns": ["client-1:8545", "client-2:8545"]}
    assert found["client-ws"] == {"address": ["127.0.0.1:8501"], "dns": ["client-1:8546", "client-2:8546"]}
    assert found["sealer-http"] == {"address": [], "dns": ["sealer-1:8545", "sealer-2:8545"]}
    assert found["sealer-ws"]["address"] == []
    assert found["ethstats-http"] == {"address": ["127.0.0.1:8502"], "dns": ["ethstats:3000"]}
    assert found["grafana"] == {"address": ["127.0.0.1:3000"], "dns": ["grafana:3000"]}
    assert found["influxdb"] == {"address": [], "dns": ["influxdb:8086"]}


def test_nodes_are_named_by_their_keys(usual: Path) -> None:
    found = endpoints(usual)
    for name, host, port in (("boot-p2p", "boot-1", 30301), ("sealer-p2p", "sealer-1", 30303)):
        identity = (usual / "keys" / host / "id").read_text().strip()
        assert found[name]["enode"][0] == f"enode://{identity}@{host}:{port}"
        assert found[name]["dns"][0] == f"{host}:{port}"
        assert found[name]["address"] == []


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"publish": {"address": "::1", "client_ws": 0, "grafana": 3333}},
        {"geth": {"advertise": "192.0.2.7"}},
        {"geth": {"advertise": "2001:db8::7"}, "publish": {"p2p": 40000, "boot_p2p": 0}},
        {"traefik": {"count": 0}},
        {"client": {"count": 0}},
        {"client": {"rpcapi": ""}},
        {"ethstats": {"count": 0}},
        {"collector": {"count": 0}},
        {"prometheus": {"count": 0}, "alertmanager": {"count": 0}, "boot": {"count": 0}},
    ],
    ids=str,
)
def test_addresses_are_those_that_the_compose_file_publishes(
    tmp_path: Path, sections: dict[str, dict[str, object]]
) -> None:
    small = {"sealer": {"count": 1}, "client": {"count": 1}}
    merged = {name: {**small.get(name, {}), **sections.get(name, {})} for name in small | sections}
    output = deployed(tmp_path / "lab", **merged)
    assert set(all_addresses(endpoints(output))) == set(published(output))


def test_names_are_those_of_services(usual: Path) -> None:
    services = yaml.safe_load((usual / "compose.yaml").read_text())["services"]
    names = {name.rpartition(":")[0] for one in endpoints(usual).values() for name in one["dns"]}
    assert names <= services.keys() | {"ethstats"}
    assert services["collector"]["networks"]["inner"]["aliases"] == ["ethstats"]


@pytest.mark.parametrize("name", EIGHT)
def test_one_by_its_name_or_that_of_the_dcos_package(usual: Path, name: str) -> None:
    assert endpoint(usual, name) == endpoint(usual, f"geth-{name}-port") == endpoints(usual)[name]


def test_a_name_that_is_none(usual: Path) -> None:
    with pytest.raises(Refused, match=r"client-htpp: is no endpoint; did you mean client-http\?"):
        endpoint(usual, "client-htpp")


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"has no options\.yaml; name a directory that `chainwatch deploy` made"):
        endpoints(tmp_path / "nowhere")
    (tmp_path / "options.yaml").write_text("sealer: [")
    with pytest.raises(WrongConfiguration):
        endpoints(tmp_path)


def test_before_the_keys_are_made_there_are_no_node_ids(tmp_path: Path) -> None:
    (tmp_path / "options.yaml").write_text("{}\n")
    assert endpoints(tmp_path)["sealer-p2p"] == {
        "address": [],
        "dns": ["sealer-1:30303", "sealer-2:30303", "sealer-3:30303"],
        "enode": [],
    }


def test_the_command_prints_json(usual: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["endpoints", str(usual)]) == 0
    assert json.loads(capsys.readouterr().out) == endpoints(usual)
    assert main(["endpoints", str(usual), "geth-client-http-port"]) == 0
    assert json.loads(capsys.readouterr().out) == endpoint(usual, "client-http")


@pytest.mark.parametrize("arguments", [("nowhere",), ("{usual}", "client")])
def test_the_command_tells_what_is_wrong_in_a_line(
    usual: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["endpoints", *(argument.format(usual=usual) for argument in arguments)]) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.count("\n") == 1
