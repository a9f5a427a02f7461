"""`chainwatch deploy`: what it prints where, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chainwatch.command import main
from tests.command.processes import chainwatch

SMALL = "sealer: {count: 1}\nclient: {count: 0}\n"


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    """Return an options file."""
    path = tmp_path / "options.yaml"
    path.write_text(SMALL)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command and return its exit code and what it printed."""
    code = main(["deploy", *map(str, arguments)])
    stdout, stderr = capsys.readouterr()
    return code, stdout, stderr


def test_the_whole_way(tmp_path: Path, wanted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "lab"
    code, stdout, stderr = run(capsys, wanted, "--output", output, "--diff")
    assert (code, stderr, output.exists()) == (0, "", False)
    assert "# compose.yaml: new" in stdout
    code, stdout, stderr = run(capsys, wanted, "--output", output)
    assert (code, stderr) == (0, "")
    assert "compose.yaml: new\n" in stdout
    assert stdout.splitlines()[-1].endswith("keys/secrets/grafana-admin")
    code, stdout, stderr = run(capsys, "--output", output, "--target", "compose")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("unchanged: ")
    assert run(capsys, "--output", output, "--diff") == (0, "", "")


def test_options_from_standard_input(tmp_path: Path) -> None:
    code, _, stderr, _ = chainwatch("deploy", "/dev/stdin", "--output", tmp_path / "lab", stdin=SMALL)
    assert (code, stderr) == (0, "")
    assert (tmp_path / "lab/options.yaml").read_text().endswith("sealer:\n  count: 1\nclient:\n  count: 0\n")


def test_remarks_are_told_and_pass(tmp_path: Path, wanted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted.write_text(f"{SMALL}service: {{user: root}}\n")
    code, _, stderr = run(capsys, wanted, "--output", tmp_path / "lab")
    assert code == 0
    assert stderr.startswith(f"{wanted}:3: service.user: is replaced: ")
    assert stderr.count("\n") == 1


def test_mistakes_are_all_told_and_nothing_is_written(
    tmp_path: Path, wanted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted.write_text("sealer: {count: -1}\nclient: {cuont: 1}\n")
    for more in ((), ("--diff",)):
        code, stdout, stderr = run(capsys, wanted, "--output", tmp_path / "lab", *more)
        assert (code, stdout) == (2, "")
        assert [line.partition(": is ")[0] for line in stderr.splitlines()] == [
            f"{wanted}:1: sealer.count",
            f"{wanted}:2: client.cuont",
        ]
        assert not (tmp_path / "lab").exists()


def test_a_refusal_is_told_in_lines(tmp_path: Path, wanted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "lab"
    run(capsys, wanted, "--output", output)
    wanted.write_text(SMALL + "geth: {clique_period: 5, clique_epoch: 9}\n")
    for more in ((), ("--diff",)):
        code, stdout, stderr = run(capsys, wanted, "--output", output, *more)
        assert (code, stdout) == (1, "")
        assert stderr.count("\n") == 2
    code, stdout, _ = run(capsys, wanted, "--output", output, "--new-genesis")
    assert code == 0
    assert "down --volumes" in stdout


def test_a_directory_of_somebody_else(tmp_path: Path, wanted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, stdout, stderr = run(capsys, wanted, "--output", tmp_path)
    assert (code, stdout) == (1, "")
    assert stderr.startswith(f"{tmp_path}: has files that `chainwatch deploy` did not write, such as options.yaml; ")
    assert run(capsys, wanted, "--output", tmp_path, "--force")[0] == 0


def test_a_place_where_nothing_can_be_written(wanted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, stdout, stderr = run(capsys, wanted, "--output", "/proc/lab")
    assert (code, stdout) == (1, "")
    assert stderr.count("\n") == 1


def test_what_cannot_be_read_is_named(tmp_path: Path, wanted: Path) -> None:
    (tmp_path / "lab/.chainwatch.json").mkdir(parents=True)
    code, stdout, stderr, _ = chainwatch("deploy", wanted, "--output", tmp_path / "lab")
    assert (code, stdout) == (1, "")
    assert stderr == f"chainwatch: {tmp_path}/lab/.chainwatch.json: Is a directory\n"


def test_an_ethereum_network_is_not_for_a_swarm(
    tmp_path: Path, wanted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, stdout, stderr = run(capsys, wanted, "--output", tmp_path / "lab", "--target", "swarm")
    assert (code, stdout) == (2, "")
    assert stderr.startswith(f"{wanted}:1: is of an Ethereum network")
    assert stderr.count("\n") == 1
    assert not (tmp_path / "lab").exists()


def test_a_nodeos_network_is_for_a_swarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = tmp_path / "options.yaml"
    options.write_text("eos:\nservice: {name: lab}\n")
    code, stdout, _ = run(capsys, options, "--output", tmp_path / "lab", "--target", "swarm")
    assert code == 0
    assert f"docker stack deploy --prune --compose-file {tmp_path / 'lab' / 'stack.yaml'} lab" in stdout
    assert not (tmp_path / "lab" / "compose.yaml").exists()


def test_help_does_without_what_makes_accounts() -> None:
    program = (
        "import sys\nfrom chainwatch.command import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
    )
    program += (
        "heavy = ('web3', 'eth_', 'compose.eth_', 'compose.identities', 'compose.rendering', 'compose.options')\n"
        "print([name for name in sys.modules if name.startswith(heavy)], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
