"""What the firewall script takes, and what it says of what it doesn't: in every shell that a machine may have as sh.

What it does to a machine is tried in tests/real/test_firewall.py.
"""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import compose.rendering
from tests.real.servers import require

SCRIPT = Path(compose.rendering.__file__).with_name("firewall.sh")
SHELLS = (("dash",), ("busybox", "sh"), ("bash", "--posix"))


def ran(*arguments: str, shell: Sequence[str] = ("sh",)) -> subprocess.CompletedProcess[str]:
    """Run it with nothing in its environment that it could lean on."""
    command = [require(shell[0]), *shell[1:], str(SCRIPT), *arguments]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=20, check=False
    )


WRONG = {
    ("--ports", ""): "--ports : write numbers from 1 to 65535, with commas between them",
    ("--ports", "8888,"): "--ports 8888,: write numbers",
    ("--ports", "8888 9876"): "write numbers",
    ("--ports", "0"): "write numbers",
    ("--ports", "65536"): "write numbers",
    ("--ports", "08888"): "write numbers",
    ("--ports", "1-9"): "write numbers",
    ("--ports", "http"): "write numbers",
    ("--ports", "8888\n9876"): "write numbers",
    ("--ports", "99999999999999999999"): "write numbers",
    ("--ports",): "--ports: lacks its value; see --help",
    ("--allow",): "--allow: lacks its value; see --help",
    (
        "--allow",
        "gate.example",
    ): "--allow gate.example: is no address; write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32",
    ("--allow", ""): "--allow : is no address",
    ("--allow", "10.0.0"): "is no address",
    ("--allow", "10.0.0.256"): "is no address",
    ("--allow", "10.0.0.1; reboot"): "is no address",
    ("--allow", "10.0.0.1\naccept"): "is no address",
    ("--allow", "fd77::1::2"): "is no address",
    ("--allow", "fe80::1%eth0"): "is no address",
    ("--allow", "10.0.0.1/33"): "--allow 10.0.0.1/33: has no length of a network; write /1 to /32",
    ("--allow", "fd77::/129"): "--allow fd77::/129: has no length of a network; write /1 to /128",
    ("--allow", "10.0.0.1/"): "has no length of a network",
    ("--allow", "10.0.0.0/8/9"): "has no length of a network",
    ("--allow", "0.0.0.0/0"): "--allow 0.0.0.0/0: is everybody; to open the ports, use --remove",
    ("--allow", "::/0"): "--allow ::/0: is everybody",
    ("--backend", "ufw"): "--backend ufw: is unknown; write nft or iptables",
    ("--backend", "nft iptables"): "is unknown",
    ("--backend",): "--backend: lacks its value",
    ("--removed",): "--removed: is unknown; see --help",
    ("8888",): "8888: is unknown; see --help",
}


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: str(shell[0]))
def test_what_is_wrong_is_said_and_nothing_begins(shell: Sequence[str]) -> None:
    for arguments, message in WRONG.items():
        done = ran("--dry-run", *arguments, shell=shell)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert done.stderr.startswith("firewall.sh: "), arguments
        assert message in done.stderr


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: str(shell[0]))
def test_what_is_right_becomes_rules(shell: Sequence[str]) -> None:
    options = ["--ports", "1,65535", "--allow", "10.1.2.3", "--allow", "fd77::/16", "--allow", "10.0.0.0/8"]
    nft = ran("--dry-run", "--backend", "nft", *options, shell=shell)
    assert (nft.returncode, nft.stderr) == (0, "")
    assert "tcp dport != { 1, 65535 } accept\n" in nft.stdout
    assert re.findall(r"(ip6?) saddr (\S+) accept\n", nft.stdout) == [
        ("ip", "10.1.2.3"),
        ("ip", "10.0.0.0/8"),
        ("ip6", "fd77::/16"),
    ]
    iptables = ran("--dry-run", "--backend", "iptables", *options, shell=shell)
    assert (iptables.returncode, iptables.stderr) == (0, "")
    four, six = iptables.stdout.split("# ip6tables-restore --noflush\n")
    assert re.findall(r"-s (\S+) -j RETURN\n", four) == ["10.1.2.3", "10.0.0.0/8"]
    assert re.findall(r"-s (\S+) -j RETURN\n", six) == ["fd77::/16"]
    for half in (four, six):
        assert re.findall(r"--dport (\S+) -j DROP\n", half) == ["1", "65535"]


def test_the_ports_of_a_producer_are_the_default() -> None:
    assert "tcp dport != { 8888, 9876 } accept\n" in ran("--dry-run", "--backend", "nft").stdout


def _is_address(text: str) -> bool:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return False
    return "." not in text or parsed.version == 4  # of two ways to write an IPv6 address, one is enough


@given(
    st.one_of(
        st.ip_addresses().map(str),
        st.ip_addresses(v=6).map(lambda address: address.exploded),
        st.text("0123456789abcdefF:.", min_size=1, max_size=20),
        st.lists(st.sampled_from(["", "0", "1", "ffff", "12345", ":"]), min_size=1, max_size=10).map(":".join),
    )
)
@example("::")
@example("1::")
@example(":1")
@example("1:")
@example("1:2:3:4:5:6:7::")
@example("1:2:3:4:5:6:7:8::")
@example("1:2:3:4:5:6:7:8:")
@settings(max_examples=150)
def test_an_address_is_one_to_the_script_if_it_is_one(text: str) -> None:
    done = ran("--dry-run", "--backend", "nft", "--allow", text)
    assert (done.returncode == 0) == _is_address(text)


def test_without_root_it_says_so() -> None:
    as_nobody = () if os.geteuid() else (require("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups")
    script = SCRIPT.read_text()  # which nobody may not be allowed to reach
    done = subprocess.run([*as_nobody, "sh", "-s"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "firewall.sh: has to be run by root; --dry-run shows anybody what it would do\n"


def test_help_says_every_option() -> None:
    done = ran("--help")
    assert done.returncode == 0
    named = set(re.findall(r"^    (--[a-z-]+)\)", SCRIPT.read_text(), flags=re.MULTILINE))
    assert {"--ports", "--allow", "--backend", "--remove", "--dry-run"} <= named
    for option in named - {"--help"}:
        assert f"  {option}" in done.stdout


def test_the_page_says_every_option() -> None:
    page = (Path(__file__).parents[3] / "docs" / "firewall.md").read_text()
    rows = re.findall(r"^\| `(--[a-z-]+)", page, flags=re.MULTILINE)
    assert sorted(rows) == sorted(re.findall(r"^  (--[a-z-]+)", ran("--help").stdout, flags=re.MULTILINE))


def test_shellcheck_finds_nothing() -> None:
    done = subprocess.run([require("shellcheck"), str(SCRIPT)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
