"""A nodeos network from options to a directory, for Compose and for a swarm, and from one to the other."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from chainwatch.command import main
from compose import deploying
from compose.deploying import Refused, Unusable, deploy, differences, options_for, target_of
from compose.endpoints import endpoint, endpoints
from compose.eos_keys import new_private_key
from compose.options.eos.models import Options
from compose.options.ethereum.models import Options as EthereumOptions
from compose.options.kinds import Options as AnyOptions
from compose.options.targets import TARGETS
from compose.rendering import rendered
from compose.tree import MANIFEST

FILES = {"compose": "compose.yaml", "swarm": "stack.yaml"}


def options(**sections: dict[str, Any]) -> Options:
    """Return options with two workers, unless they say otherwise."""
    return Options.model_validate({"worker": {"count": 2}, "service": {"name": "lab"}} | sections)


def deployed(output: Path, wanted: AnyOptions, target: str = "compose", *, new_genesis: bool = False) -> list[str]:
    """Deploy, and return what is said."""
    said: list[str] = []
    deploy(wanted, output, said.append, target=target, new_genesis=new_genesis)
    return said


def contents(output: Path) -> dict[str, bytes]:
    """Return all files of a directory."""
    return {str(path.relative_to(output)): path.read_bytes() for path in sorted(output.rglob("*")) if path.is_file()}


def keys(output: Path) -> dict[str, bytes]:
    """Return what lies in keys/."""
    return {path: content for path, content in contents(output).items() if path.startswith("keys/")}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return the path of a directory to make."""
    return tmp_path / "lab"


@pytest.mark.parametrize("target", TARGETS)
def test_the_first_time_everything_is_made_and_said(output: Path, target: str) -> None:
    said = deployed(output, options(), target)
    there = contents(output)
    for path in rendered(options(), target=target):
        assert f"{path}: new" in said
        assert path in there
    assert {"options.yaml", FILES[target], "keys/chain/genesis.json", "keys/producer/signing.ini"} <= there.keys()
    assert not {"compose.yaml", "stack.yaml"} <= there.keys()
    assert not any(path.startswith("join/") for path in there)
    assert target_of(output) == target
    assert (output / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("target", TARGETS)
def test_again_nothing_changes(output: Path, target: str) -> None:
    deployed(output, options(), target)
    before = contents(output)
    times = {path: (output / path).stat().st_mtime_ns for path in before if path != MANIFEST}
    said = deployed(output, options_for(None, output, target)[0], target)
    assert contents(output) == before
    assert {path: (output / path).stat().st_mtime_ns for path in times} == times
    assert said[0].startswith("unchanged: ")
    assert list(differences(options(), output, target=target)) == []


@pytest.mark.parametrize("target", TARGETS)
def test_no_secret_is_where_everybody_can_read_it(output: Path, target: str) -> None:
    key = new_private_key()
    said = deployed(output, options(producer={"signature_key": key}), target)
    secrets = [path.read_bytes().strip() for path in (output / "keys/secrets").iterdir()]
    for secret in [key.encode(), *secrets]:
        assert secret not in "\n".join(said).encode()
        for path, content in contents(output).items():
            if secret in content:
                assert path.startswith("keys/")
                assert (output / path).stat().st_mode & 0o077 == 0, path
    shown = "\n".join(differences(options(producer={"signature_key": key}), output.with_name("new"), target=target))
    assert key not in shown


def test_the_lines_for_compose(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = deployed(output, options())
    assert f"    docker compose -f {output}/compose.yaml up -d --remove-orphans" in said
    assert not any("looks for the image" in line for line in said)
    said = deployed(output, options(images={"nodeos": "nodes:1"}))
    assert "Compose looks for the image nodes:1." in said
    monkeypatch.setattr(deploying, "_CHECKOUT", output)
    said = deployed(output, options())
    assert sum("Compose looks for the image chainwatch" in line for line in said) == 2


def test_the_lines_for_a_swarm(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = options(eos={"version": "leap-4.0.6"}, images={"nodeos": "registry.example/nodeos:4"})
    said = "\n".join(deployed(output, wanted, "swarm"))
    context = Path(deploying.__file__).parent / "nodeos"
    arguments = "--build-arg DISTRIBUTION=leap --build-arg VERSION=4.0.6"
    assert f"    docker build -t registry.example/nodeos:4 {arguments} {shlex.quote(str(context))}\n" in said
    assert "    docker push registry.example/nodeos:4\n" in said
    assert f"    docker build -t chainwatch:0.1.0 {shlex.quote(str(context.parents[1]))}\n" in said
    assert "    docker save chainwatch:0.1.0 | ssh MACHINE docker load\n" in said
    assert f"    docker stack deploy --prune --compose-file {output}/stack.yaml lab\n" in said
    assert "Prometheus, Alertmanager and the collector's page, which ask for no password, are not published" in said
    shown = "\n".join(deployed(output, options(publish={"address": "0.0.0.0"}), "swarm"))
    assert "are not published" not in shown
    nowhere = "\n".join(deployed(output, options(publish={"prometheus": 0, "alertmanager": 0, "page": 0}), "swarm"))
    assert "are not published" not in nowhere
    monkeypatch.setattr(deploying, "_CHECKOUT", output)
    assert "docker build" not in "\n".join(deployed(output, wanted, "swarm"))


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_built_has_its_place(output: Path, target: str) -> None:
    """The commands and the file that are handed out lead to folders with a Dockerfile."""
    said = deployed(output, options(), target)
    places = [Path(shlex.split(line)[-1]) for line in said if "docker build" in line]
    if target == "compose":
        services = yaml.safe_load((output / "compose.yaml").read_text())["services"]
        places = [output / service["build"]["context"] for service in services.values() if "build" in service]
    assert {path.resolve().name for path in places} == {"nodeos", Path(deploying.__file__).parents[1].name}
    assert all((path / "Dockerfile").is_file() for path in places)


def test_from_one_target_to_the_other_keys_stay(output: Path) -> None:
    deployed(output, options())
    before = keys(output)
    said = deployed(output, options(), "swarm")
    assert {"compose.yaml: removed", "stack.yaml: new"} <= set(said)
    assert any(
        "was made for compose, and is for swarm now" in line and "docker compose -p lab down" in line for line in said
    )
    assert target_of(output) == "swarm"
    assert keys(output) == before
    said = deployed(output, options())
    assert any("was made for swarm, and is for compose now" in line and "docker stack rm lab" in line for line in said)
    assert target_of(output) == "compose"
    assert keys(output) == before


def test_the_command_keeps_to_the_target(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "options.yaml").write_text("eos:\nworker: {count: 2}\n")
    command = ["deploy", str(tmp_path / "options.yaml"), "--output", str(output)]
    assert main([*command, "--target", "swarm"]) == 0
    assert main(command) == 0
    assert main(["deploy", "--output", str(output)]) == 0
    assert main(["deploy", "--output", str(output), "--diff"]) == 0
    assert (output / "stack.yaml").is_file()
    assert not (output / "compose.yaml").exists()
    assert main([*command, "--target", "compose"]) == 0
    assert not (output / "stack.yaml").exists()
    assert "--target" not in capsys.readouterr().err


@pytest.mark.parametrize("said", ["geth: {network_id: 5}\n", None])
def test_an_ethereum_network_has_no_swarm(
    output: Path, tmp_path: Path, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["deploy", "--output", str(output), "--target", "swarm"]
    if said:
        (tmp_path / "options.yaml").write_text(said)
        command.insert(1, str(tmp_path / "options.yaml"))
    assert main(command) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.count("\n") == 1
    assert "only an EOSIO or Antelope network" in stderr
    assert not output.exists()


def test_a_directory_holds_one_kind_of_network(output: Path) -> None:
    deployed(output, options())
    before = contents(output)
    with pytest.raises(Refused, match="holds an EOSIO or Antelope network, and the options are of an Ethereum one"):
        deploy(EthereumOptions(), output, print)
    with pytest.raises(Refused, match="name another directory"):
        list(differences(EthereumOptions(), output))
    assert contents(output) == before
    other = output.with_name("other")
    deploy(EthereumOptions(), other, lambda _: None)
    with pytest.raises(Refused, match="holds an Ethereum network, and the options are of an EOSIO or Antelope one"):
        deployed(other, options())


@pytest.mark.parametrize("target", TARGETS)
def test_another_key_is_refused_unless_asked_for(output: Path, target: str) -> None:
    deployed(output, options(), target)
    before = contents(output)
    wanted = options(producer={"signature_key": new_private_key()})
    with pytest.raises(Refused) as refused:
        deployed(output, wanted, target)
    (reason,) = refused.value.reasons
    assert reason.startswith(f"{output}: producer.signature_key: EOS")
    assert "--new-genesis" in reason
    assert contents(output) == before
    shown = list(differences(wanted, output, target=target, new_genesis=True))
    assert any("genesis.json: a new one would be made" in line for line in shown)
    said = "\n".join(deployed(output, wanted, target, new_genesis=True))
    assert keys(output)["keys/chain/genesis.json"] != before["keys/chain/genesis.json"]
    assert ("down --volumes" if target == "compose" else "docker stack rm lab\n") in said
    assert "must go before" not in "\n".join(deployed(output, wanted, target, new_genesis=True))


def test_a_network_that_is_joined_stays_the_one(output: Path, tmp_path: Path) -> None:
    deployed(output, options())
    genesis = (output / "keys/chain/genesis.json").read_text()
    (tmp_path / "genesis.json").write_text(genesis)
    (tmp_path / "options.yaml").write_text(
        "eos: {create_genesis: false, genesis: genesis.json, peers: 'a.example:9876'}\nproducer: {count: 0}\n"
    )
    other = tmp_path / "other"
    deployed(other, options_for(tmp_path / "options.yaml", other)[0])
    assert (other / "keys/chain/genesis.json").read_text() == genesis
    before = contents(other)
    (tmp_path / "genesis.json").unlink()  # DIR has a copy, and its options.yaml says so
    assert deployed(other, options_for(None, other)[0])[0].startswith("unchanged")
    assert contents(other) == before


@pytest.mark.parametrize("target", TARGETS)
def test_how_another_key_gets_to_a_producer_on_a_network_that_is_joined(output: Path, target: str) -> None:
    """The genesis stays, so nobody is told to end what runs; and what runs has the old key, by a secret of Docker's."""
    deployed(output.with_name("own"), options())
    genesis = (output.with_name("own") / "keys/chain/genesis.json").read_text()

    def signing_with(key: str) -> Options:
        eos = {"create_genesis": False, "peers": ["a.example:9876"]}
        wanted = options(eos=eos, producer={"name": "alice", "signature_key": key})
        return wanted.model_copy(update={"eos": wanted.eos.model_copy(update={"genesis": genesis})})

    key, another = new_private_key(), new_private_key()
    told = "The key that blocks are signed with is a new one"
    assert told not in "\n".join(deployed(output, signing_with(key), target))
    said = "\n".join(deployed(output, signing_with(another), target))
    ends = {"compose": "compose.yaml up -d --force-recreate setup producer\n", "swarm": "docker stack rm lab\n"}
    assert told in said
    assert ends[target] in said
    assert told not in "\n".join(deployed(output, signing_with(another), target))


def test_another_line_of_releases_is_told(output: Path) -> None:
    deployed(output, options(eos={"version": "leap-4.0.6"}))
    said = deployed(output, options(eos={"version": "spring-1.2.2"}))
    assert any("from leap-4.0.6 to spring-1.2.2, and neither reads the other's database" in line for line in said)
    said = deployed(output, options(eos={"version": "spring-1.1.5"}))
    assert not any("database" in line for line in said)


@pytest.mark.parametrize("target", TARGETS)
def test_another_name_is_another_cluster(output: Path, target: str) -> None:
    deployed(output, options(), target)
    said = "\n".join(deployed(output, options(service={"name": "new"}), target))
    assert ("docker compose -p lab down" if target == "compose" else "docker stack rm lab") in said


def test_what_cannot_be_used_is_a_line(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(output, options())
    (output / "keys/producer/signing-key").write_text("hunter2")
    with pytest.raises(Unusable, match="is no private key") as unusable:
        deployed(output, options())
    assert "hunter2" not in str(unusable.value)
    assert main(["deploy", "--output", str(output)]) == 1
    (output / MANIFEST).write_text("{")
    assert main(["deploy", "--output", str(output)]) == 1
    assert capsys.readouterr().err.count("\n") == 2


def test_endpoints_on_one_machine(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(output, options())
    found = endpoints(output)
    assert found["api-http"] == {"address": ["127.0.0.1:8888"], "dns": ["traefik:8500"]}
    assert found["worker-http"] == {"address": [], "dns": ["worker-1:8888", "worker-2:8888"]}
    assert found["producer-p2p"] == {"address": [], "dns": ["producer:9876"]}
    assert found["snapshots-status"] == {"address": [], "dns": ["snapshots:8889"]}
    assert found["prometheus"] == {"address": ["127.0.0.1:9090"], "dns": ["prometheus:9090"]}
    assert found["page"] == {"address": ["127.0.0.1:9280"], "dns": ["collector:9280"]}
    assert found["rotation"] == {"address": [], "dns": ["rotation:9274"]}
    assert main(["endpoints", str(output), "api-http"]) == 0
    assert json.loads(capsys.readouterr().out) == endpoint(output, "api-http") == found["api-http"]


def test_endpoints_in_a_swarm(output: Path) -> None:
    deployed(output, options(), "swarm")
    found = endpoints(output)
    assert found["api-http"] == {"address": ["0.0.0.0:8888"], "dns": ["traefik:8500"]}
    assert found["worker-p2p"] == {"address": [], "dns": ["tasks.worker:9876"]}
    assert found["producer-http"] == {"address": [], "dns": ["producer:8888"]}
    assert found["collector"] == {"address": [], "dns": ["tasks.collector:9273"]}
    assert found["rotation"] == {"address": [], "dns": ["rotation:9274"]}
    assert found["grafana"]["address"] == ["0.0.0.0:3000"]
    assert found["prometheus"] == {"address": [], "dns": ["prometheus:9090"]}
    assert found["page"] == {"address": [], "dns": ["tasks.collector:9280"]}


SECTIONS: list[dict[str, dict[str, Any]]] = [
    {},
    {"publish": {"address": "0.0.0.0", "api": 80, "grafana": 0}},
    {"publish": {"address": "::1", "api": 80}},
    {"publish": {"address": ""}},
    {"worker": {"count": 0}},
    {"traefik": {"count": 0}},
    {"grafana": {"count": 0}, "prometheus": {"count": 0}},
    {"producer": {"count": 0}, "snapshots": {"count": 0}, "collector": {"count": 0}},
    {"cadvisor": {"count": 1}},
]


@pytest.mark.parametrize("sections", SECTIONS, ids=str)
@pytest.mark.parametrize("target", TARGETS)
def test_endpoints_are_those_of_the_file(output: Path, target: str, sections: dict[str, dict[str, Any]]) -> None:
    deployed(output, options(**sections), target)
    found = endpoints(output)
    services = yaml.safe_load((output / FILES[target]).read_text())["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    published = {
        f"0.0.0.0:{port['published']}" if target == "swarm" else _whole_address(port.rpartition(":")[0])
        for port in ports
    }
    assert {address for one in found.values() for address in one["address"]} == published
    names = {name.rpartition(":")[0].removeprefix("tasks.") for one in found.values() for name in one["dns"]}
    assert names <= services.keys()
    assert services.keys() - names <= {"setup", "influxdb-setup"}


def _whole_address(port: str) -> str:
    return port if ":" in port else f"0.0.0.0:{port}"
