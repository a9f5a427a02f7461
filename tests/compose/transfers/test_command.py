"""The command of the load: what it reads, and how it ends."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from eth_account import Account

from compose.transfers.__main__ import main
from compose.transfers.wallets import Unreadable, keystores, open_wallet
from tests.answering import Answering
from tests.compose.transfers.chain import FakeChain
from tests.helpers import run

KEY = bytes(31) + b"\x01"
ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


def add(keys: Path, name: str, passphrase: str = "geheim", *, rounds: int = 2, written: str | None = None) -> None:
    """Put a node with an account into a directory."""
    (keys / name / "keystore").mkdir(parents=True)
    sealed = Account.encrypt(KEY, passphrase, kdf="scrypt", iterations=rounds)
    (keys / name / "keystore" / "UTC--1").write_text(json.dumps(sealed))
    (keys / name / "password").write_text(f"{passphrase if written is None else written}\n")


def load(keys: Path, *more: str) -> int:
    """Run the command, which ends by itself where it can't begin."""
    return main(["--url", "http://127.0.0.1:1", "--rate", "1", "--keys", str(keys), *more])


def test_every_node_with_an_account_is_found(tmp_path: Path) -> None:
    for name in ("client-1", "client-2"):
        add(tmp_path, name)
    (tmp_path / "boot-1").mkdir()
    (tmp_path / "client-3" / "keystore").mkdir(parents=True)
    (tmp_path / "genesis.json").write_text("{}")
    found = keystores(tmp_path)
    assert [keystore.parts[-3] for keystore, _ in found] == ["client-1", "client-2"]
    assert {open_wallet(*each).address for each in found} == {ADDRESS}


def test_a_key_does_not_show(tmp_path: Path) -> None:
    add(tmp_path, "client-1")
    assert KEY.hex() not in repr(open_wallet(*keystores(tmp_path)[0]))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"crypto": {}, "version": 3}', '{"version": 9}'])
def test_what_is_no_keystore_is_told(tmp_path: Path, content: str) -> None:
    add(tmp_path, "client-1")
    (tmp_path / "client-1" / "keystore" / "UTC--1").write_text(content)
    with pytest.raises(Unreadable, match="UTC--1: is no keystore's file") as raised:
        open_wallet(*keystores(tmp_path)[0])
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("nothing", "no node there has an account"),
        ("nowhere", "nowhere: cannot be read: No such file"),
        ("password", "client-1/password: cannot be read: No such file"),
        ("wrong", "or is not opened by the passphrase in"),
    ],
)
def test_without_an_account_it_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: str, message: str) -> None:
    keys = tmp_path / spoil
    if spoil != "nowhere":
        keys.mkdir()
    if spoil in ("password", "wrong"):
        add(keys, "client-1", written="falsch" if spoil == "wrong" else None)
    if spoil == "password":
        (keys / "client-1" / "password").unlink()
    assert load(keys) == 1
    assert message in caplog.text
    assert "geheim" not in caplog.text


@pytest.mark.parametrize("wrong", [["--rate", "0"], ["--rate", "nan"], ["--rate", "1001"], ["--url", "client-1:8545"]])
def test_wrong_arguments_are_refused(tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        load(tmp_path, *wrong)
    assert raised.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def started(keys: Path, url: str) -> subprocess.Popen[str]:
    """Start the command as a process."""
    argv = [sys.executable, "-m", "compose.transfers", "--url", url, "--keys", str(keys), "--rate", "50"]
    return subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)


def test_it_ends_within_a_second_of_sigterm_and_says_what_it_did(tmp_path: Path) -> None:
    add(tmp_path, "client-1")
    chain = FakeChain()

    async def test() -> tuple[int, str, float]:
        async with Answering({"/": chain}) as server:
            process = started(tmp_path, server.url)
            async with asyncio.timeout(20):
                while len(chain.taken) < 5:  # noqa: ASYNC110 - nothing tells when
                    await asyncio.sleep(0.02)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, told = await asyncio.to_thread(process.communicate, timeout=10)
            return process.returncode, told, time.monotonic() - begun

    code, told, seconds = run(test())
    assert code == 0
    assert seconds < 5
    last = told.splitlines()[-1]
    assert "accepted" in last
    assert int(last.split("accepted ")[1].split(",")[0]) >= 5
    assert "Traceback" not in told


def test_sigterm_while_keys_are_opened_is_heard(tmp_path: Path) -> None:
    for number in range(10):
        add(tmp_path, f"client-{number}", rounds=1 << 15)
    with started(tmp_path, "http://127.0.0.1:1") as process:
        time.sleep(1.5)  # while it imports, or opens: at no time does it stay
        begun = time.monotonic()
        process.terminate()
        process.communicate(timeout=10)
    assert time.monotonic() - begun < 5
    assert process.returncode in (0, -signal.SIGTERM)
