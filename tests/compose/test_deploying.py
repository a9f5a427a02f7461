"""From options to a directory, and to the next one: what is made, what is kept, what is refused, what is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from errno import ENOSPC
from pathlib import Path

import pytest
import yaml

from compose import deploying
from compose.deploying import Refused, Unusable, deploy, differences, options_for
from compose.options.ethereum.models import Options
from compose.options.kinds import Options as AnyOptions
from compose.rendering import rendered
from compose.tree import MANIFEST, Tree

SMALL: dict[str, dict[str, object]] = {"sealer": {"count": 1}, "client": {"count": 1}}


def options(**sections: dict[str, object]) -> Options:
    """Return options with one sealer and one client, unless they say otherwise."""
    return Options.model_validate(
        {name: {**SMALL.get(name, {}), **sections.get(name, {})} for name in SMALL | sections}
    )


def deployed(output: Path, wanted: AnyOptions, *, new_genesis: bool = False) -> list[str]:
    """Deploy, and return what is said."""
    said: list[str] = []
    deploy(wanted, output, said.append, new_genesis=new_genesis)
    return said


def contents(output: Path) -> dict[str, bytes]:
    """Return all files of a directory."""
    return {str(path.relative_to(output)): path.read_bytes() for path in sorted(output.rglob("*")) if path.is_file()}


def keys(output: Path) -> dict[str, bytes]:
    """Return the files that are never made twice."""
    kept = ("nodekey", "password", "genesis.json", "address")
    return {
        path: content
        for path, content in contents(output).items()
        if path.startswith("keys/")
        and not path.endswith(".part")
        and (path.endswith(kept) or "/keystore/" in path or "/secrets/" in path)
    }


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return the path of a directory to make."""
    return tmp_path / "lab"


def test_the_first_time_everything_is_made_and_said(output: Path) -> None:
    said = deployed(output, options())
    there = contents(output)
    for path in rendered(options()):
        assert f"{path}: new" in said
        assert path in there
    assert {"options.yaml", "compose.yaml", "keys/chain/genesis.json", "join/genesis.json"} <= there.keys()
    assert any(line.startswith("made sealer-1: account: 0x") for line in said)
    assert f"    docker compose -f {output}/compose.yaml up -d --remove-orphans" in said
    assert f"Passwords and secrets: {output}/keys/secrets" in said
    assert output.stat().st_mode & 0o777 == 0o755
    assert (output / "keys").stat().st_mode & 0o777 == 0o700


def test_again_nothing_changes(output: Path) -> None:
    deployed(output, options())
    before = contents(output)
    times = {path: (output / path).stat().st_mtime_ns for path in before if path != MANIFEST}
    said = deployed(output, options())
    assert contents(output) == before
    assert {path: (output / path).stat().st_mtime_ns for path in times} == times
    assert said[0].startswith("unchanged: ")
    assert not any("made" in line or "changed" in line.partition(":")[2] for line in said)


def test_a_change_keeps_keys_and_genesis(output: Path) -> None:
    deployed(output, options())
    before = keys(output)
    said = deployed(output, options(client={"count": 2}, grafana={"count": 0}, sealer={"mem": 2048}))
    assert before.items() <= keys(output).items()
    assert {"compose.yaml: changed", "options.yaml: changed"} <= set(said)
    assert any(line.startswith("config/grafana/") and line.endswith(": removed") for line in said)
    assert any(line.startswith("made client-2: ") for line in said)
    assert not (output / "config/grafana").exists()
    services = yaml.safe_load((output / "compose.yaml").read_text())["services"]
    assert "client-2" in services
    assert "grafana" not in services


def test_another_sealer_is_voted_for_and_needs_no_new_genesis(output: Path) -> None:
    deployed(output, options())
    before = keys(output)
    said = deployed(output, options(sealer={"count": 2}))
    assert before.items() <= keys(output).items()
    assert any(line.startswith("sealer-2 is no signer") and "clique.propose" in line for line in said)


def test_fewer_nodes_leave_their_keys(output: Path) -> None:
    deployed(output, options(client={"count": 2}))
    before = keys(output)
    deployed(output, options(client={"count": 0}))
    assert keys(output) == before


def test_without_a_file_the_options_are_those_of_before(output: Path) -> None:
    assert options_for(None, output) == (Options(), [])
    wanted = options(service={"name": "lab"}, client={"count": 2})
    deployed(output, wanted)
    assert options_for(None, output)[0] == wanted
    before = contents(output)
    assert not any("changed" in line.partition(":")[2] for line in deployed(output, options_for(None, output)[0]))
    assert contents(output) == before


def test_own_keys_are_kept_where_the_options_no_longer_say_them(output: Path) -> None:
    own = {"create_accounts": False, "account_privatekeys": f"{7:064x}", "account_secret": "hunter2"}
    deployed(output, options(sealer=own))
    before = contents(output)
    assert b"hunter2" not in before["options.yaml"] + before["compose.yaml"]
    deployed(output, options_for(None, output)[0])
    assert contents(output) == before


def test_no_secret_is_where_everybody_can_read_it(output: Path) -> None:
    deployed(
        output,
        options(ethstats={"websocket_secret": "hunter2-of-the-page"}, client={"account_secret": "hunter2-of-accounts"}),
    )
    for path, content in contents(output).items():
        if b"hunter2" in content:
            assert (output / path).stat().st_mode & 0o077 == 0, path
            assert path.startswith(("keys/", "join/config.toml")), path


@pytest.mark.parametrize(
    "changed", [{"clique_period": 5}, {"network_id": 19}, {"gas_limit": 8_000_000}, {"prefund": {f"0x{5:040x}": 1}}]
)
def test_a_new_genesis_is_refused_unless_asked_for(output: Path, changed: dict[str, object]) -> None:
    deployed(output, options())
    before = contents(output)
    wanted = options(geth=changed)
    with pytest.raises(Refused) as refused:
        deployed(output, wanted)
    (reason,) = refused.value.reasons
    assert reason.startswith(f"{output}: geth.{next(iter(changed))}")
    assert "--new-genesis" in reason
    assert contents(output) == before
    said = deployed(output, wanted, new_genesis=True)
    now = contents(output)
    assert now["keys/chain/genesis.json"] != before["keys/chain/genesis.json"]
    assert f"    docker compose -f {output}/compose.yaml down --volumes" in said
    assert now["keys/sealer-1/nodekey"] == before["keys/sealer-1/nodekey"]
    assert now["keys/sealer-1/address"] == before["keys/sealer-1/address"]
    assert not any("down --volumes" in line for line in deployed(output, wanted, new_genesis=True))
    assert contents(output) == now


def test_every_reason_is_a_line(output: Path) -> None:
    deployed(output, options())
    with pytest.raises(Refused) as refused:
        deployed(output, options(geth={"clique_period": 5, "clique_epoch": 100}))
    assert len(refused.value.reasons) == 2
    assert str(refused.value).count("\n") == 1


def test_a_directory_of_somebody_else_is_not_touched(output: Path) -> None:
    output.mkdir()
    (output / "compose.yaml").write_text("services: {mine: {image: mine}}\n")
    before = contents(output)
    with pytest.raises(Refused, match=r"such as compose\.yaml"):
        deployed(output, options())
    with pytest.raises(Refused, match=r"such as compose\.yaml"):
        list(differences(options(), output))
    assert contents(output) == before
    deploy(options(), output, lambda _: None, force=True)
    assert contents(output)["compose.yaml.edited"] == before["compose.yaml"]


def test_the_difference_is_shown_and_nothing_is_written(output: Path, tmp_path: Path) -> None:
    shown = list(differences(options(), output))
    assert not output.exists()
    assert "# compose.yaml: new" in shown
    assert "# keys: would be made: chain/genesis.json" in shown
    assert "--- /dev/null" in shown
    deployed(output, options())
    before = contents(output)
    assert list(differences(options(), output)) == []
    shown = list(differences(options(client={"count": 2}, grafana={"count": 0}), output))
    assert contents(output) == before
    assert "# compose.yaml: changed" in shown
    assert "+  client-2:" in shown
    assert "# keys: would be made: client-2: node key" in shown
    assert "+++ /dev/null" in shown
    with pytest.raises(Refused, match="clique_period"):
        list(differences(options(geth={"clique_period": 5}), output))
    shown = list(differences(options(geth={"clique_period": 5}), output, new_genesis=True))
    assert any("genesis.json: a new one would be made" in line for line in shown)
    assert contents(output) == before


def test_the_difference_shows_no_secret(output: Path) -> None:
    deployed(output, options())
    secret = (output / "keys/secrets/ethstats").read_text().strip()
    wanted = options(ethstats={"websocket_secret": "hunter2"}, client={"count": 2}, geth={"advertise": "192.0.2.7"})
    shown = "\n".join(differences(wanted, output))
    assert "join/config.toml: changed" in shown
    assert secret not in shown
    assert "hunter2" not in shown


def test_the_difference_can_be_shown_whatever_is_there(output: Path) -> None:
    deployed(output, options())
    (output / "keys/secrets/ethstats").unlink()
    shown = list(differences(options(), output))
    assert "# keys: would be made: secrets/ethstats" in shown
    assert "# join/config.toml: changed" in shown


class Ended(BaseException):
    """Stands for the end of a process."""


def test_a_run_that_ends_half_way_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = options(client={"count": 0})
    replace = Path.replace
    ended = True
    for steps in range(0, 100, 3):
        output, left = tmp_path / str(steps), [steps]

        def ending(self: Path, target: Path, left: list[int] = left) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise Ended
            return replace(self, target)

        with monkeypatch.context() as patching:
            patching.setattr(Path, "replace", ending)
            try:
                deployed(output, wanted)
                ended = False
            except Ended:
                pass
        made = keys(output)
        deployed(output, wanted)
        assert made.items() <= keys(output).items(), steps
        assert not any(path.endswith(("unfinished", ".part")) for path in contents(output))
        assert deployed(output, wanted)[0].startswith("unchanged")
        if not ended:
            assert steps > 20
            return
    pytest.fail("it never came to an end")


def test_a_killed_process_is_no_obstacle(output: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom compose.deploying import deploy\n"
        "from tests.compose.test_deploying import options\n"
        "deploy(options(), Path(sys.argv[1]), lambda line: print(line, flush=True))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(output)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        for line in process.stdout:
            if line.startswith("made sealer-1: node key"):
                process.kill()
                break
    assert not (output / "compose.yaml").exists()
    made = (output / "keys/sealer-1/nodekey").read_bytes()
    deployed(output, options())
    assert (output / "keys/sealer-1/nodekey").read_bytes() == made
    assert deployed(output, options())[0].startswith("unchanged")


def test_only_one_at_a_time(output: Path) -> None:
    deployed(output, options())
    with Tree(output).locked(), pytest.raises(Refused, match="is being deployed to"):
        deployed(output, options(client={"count": 2}))


def test_many_at_once_leave_what_one_would(output: Path) -> None:
    outcomes: list[str] = []

    def one() -> None:
        try:
            outcomes.append(deployed(output, options())[-1])
        except Refused as refused:
            outcomes.append(str(refused))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert any("Grafana's" in line for line in outcomes)
    assert all("Grafana's" in line or "is being deployed to" in line for line in outcomes)
    assert deployed(output, options())[0].startswith("unchanged")


def test_another_name_is_another_project(output: Path) -> None:
    deployed(output, options())
    said = deployed(output, options(service={"name": "lab"}))
    assert any("docker compose -p ethereum down" in line for line in said)


def test_the_image_is_built_from_a_checkout_or_to_be_found(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(output, options())
    context = yaml.safe_load((output / "compose.yaml").read_text())["services"]["collector"]["build"]["context"]
    assert (output / context / "Dockerfile").is_file()
    assert (output / context / "compose" / "deploying.py").is_file()
    said = deployed(output, options(images={"chainwatch": "registry.example/chainwatch:1"}))
    assert "Compose looks for the image registry.example/chainwatch:1." in said
    assert "build" not in yaml.safe_load((output / "compose.yaml").read_text())["services"]["collector"]
    monkeypatch.setattr(deploying, "_CHECKOUT", output)
    said = deployed(output, options())
    assert any(line.startswith("Compose looks for the image chainwatch:") for line in said)


def test_keys_that_are_none_end_it_with_a_line(output: Path) -> None:
    deployed(output, options())
    (output / "keys/sealer-1/nodekey").write_text("hunter2")
    with pytest.raises(Unusable) as unusable:
        deployed(output, options())
    assert "hunter2" not in str(unusable.value)
    assert str(unusable.value).count("\n") == 0


def test_options_that_cannot_be_read_any_more_are_no_obstacle(output: Path) -> None:
    deployed(output, options())
    (output / "options.yaml").write_text("sealer: [")
    assert "options.yaml: changed; what was edited by hand is in options.yaml.edited" in deployed(output, options())


def test_a_place_where_nothing_can_be_written_is_told(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match=r"^/proc/lab: cannot be written: .+; run it again when it can"):
        deployed(Path("/proc/lab"), options())
    deployed(output, options())

    def full(_: int) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    with monkeypatch.context() as patching:
        patching.setattr(os, "fsync", full)
        with pytest.raises((Refused, Unusable), match="No space left on device"):
            deployed(output, options(client={"count": 2}))
    deployed(output, options(client={"count": 2}))
    assert deployed(output, options(client={"count": 2}))[0].startswith("unchanged")


def test_everything_may_be_left_out(output: Path) -> None:
    names = [name for name, section in Options.model_fields.items() if "count" in type(section.default).model_fields]
    deployed(output, Options.model_validate({name: {"count": 0} for name in names}))
    assert (output / "compose.yaml").is_file()


def test_the_manifest_is_no_place_for_secrets(output: Path) -> None:
    deployed(output, options())
    manifest = json.loads((output / MANIFEST).read_text())["files"]
    assert [path for path in manifest if path.startswith("keys/")] == ["keys/.gitignore"]


def test_a_hundred_nodes_are_deployed_in_reasonable_time(output: Path) -> None:
    begun = time.process_time()
    deployed(output, options(client={"count": 100, "create_accounts": False}))
    assert time.process_time() - begun < 20


def test_a_new_secret_of_the_stats_page_is_said_to_need_a_new_start(output: Path) -> None:
    said = deployed(output, options())
    assert not [line for line in said if "--force-recreate" in line]
    changed = options(ethstats={"websocket_secret": "another-one-of-mine"})
    said = deployed(output, changed)
    assert f"    docker compose -f {output}/compose.yaml up -d --force-recreate" in said
    assert "another-one-of-mine" not in "\n".join(said)
    assert not [line for line in deployed(output, changed) if "--force-recreate" in line]


def test_a_way_back_to_an_older_geth_is_said_to_be_none_for_some_chains(output: Path) -> None:
    deployed(output, options(geth={"version": "1.10.26"}))
    assert not [line for line in deployed(output, options(geth={"version": "1.13.15"})) if "goes back" in line]
    said = deployed(output, options(geth={"version": "1.10.26"}))
    assert [line for line in said if line.startswith("geth goes back from 1.13.15 to 1.10.26")]
