"""Single values: what is taken, what is refused, and that nothing else can happen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.configuration import values
from collector.configuration.document import Scalar

UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10s", 10),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1.5h", 5400),
        ("250us", 0.00025),
        ("1d", 86_400),
        ("7", 7),
        ("0", 0),
    ],
)
def test_durations(written: str, seconds: float) -> None:
    assert values.duration(written) == pytest.approx(seconds)


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from(sorted(UNITS))), min_size=1, max_size=4))
def test_durations_are_the_sum_of_their_parts(parts: list[tuple[int, str]]) -> None:
    written = "".join(f"{number}{unit}" for number, unit in parts)
    microseconds = sum(number * UNITS[unit] for number, unit in parts)
    if microseconds > 86_400_000_000:
        with pytest.raises(ValueError, match="longer than a day"):
            values.duration(written)
    else:
        assert values.duration(written) == pytest.approx(microseconds / 1e6)


@given(st.floats(0, 86_400, allow_subnormal=False))
def test_durations_in_code_are_seconds(seconds: float) -> None:
    assert values.duration(seconds) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "s", "-1s", "1 s", "1s ", "1e3", "1,5s", "1y", "s1", "1s1", ".5s", "1.s", "inf", "nan", "\u0661s", "1S"],
)
def test_no_durations(written: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        values.duration(written)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, True, None, [], {}])
def test_no_durations_in_code(value: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        values.duration(value)


@given(st.integers(0, 10_000), st.sampled_from(["kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "B", "mib"]))
def test_sizes(number: int, unit: str) -> None:
    prefix = unit.lower().rstrip("b").rstrip("i")
    factor = (1024 if "i" in unit.lower() else 1000) ** ("kmgt".index(prefix) + 1 if prefix else 0)
    assert values.size(f"{number}{unit}") == values.size(f"{number} {unit}") == number * factor


@pytest.mark.parametrize(("written", "size"), [("64MiB", 64 << 20), ("1.5kB", 1500), ("123", 123), ("0.5GiB", 1 << 29)])
def test_sizes_by_hand(written: str, size: int) -> None:
    assert values.size(written) == size


@pytest.mark.parametrize("written", ["", "MiB", "64M", "64 mb b", "-1", "1e6", "64iB", "64ib", "1.5", "\u0666\u0664"])
def test_no_sizes(written: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        values.size(written)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("127.0.0.1:9273", ("127.0.0.1", 9273)),
        (":9273", ("", 9273)),
        ("[::1]:9273", ("::1", 9273)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_addresses_to_listen_at(written: str, address: tuple[str, int]) -> None:
    assert values.listen(written) == address
    assert str(values.listen(written)) == written


@pytest.mark.parametrize(
    "written", ["", "9273", "127.0.0.1", "127.0.0.1:", "::1:9273", "a:65536", "a:-1", "a b:1", "[::g]:1"]
)
def test_no_addresses_to_listen_at(written: str) -> None:
    with pytest.raises(ValueError, match=";"):
        values.listen(written)


@pytest.mark.parametrize(
    ("url", "name", "place"),
    [
        ("http://127.0.0.1:8545", "127.0.0.1:8545", "http://127.0.0.1:8545?"),
        ("HTTP://Node:8545/", "node:8545", "http://node:8545?"),
        ("https://user:p%2Fw@node", "node:443", "https://node:443?"),
        ("http://node", "node:80", "http://node:80?"),
        ("http://[::1]:1/a/?k=v", "[::1]:1", "http://[::1]:1/a?k=v"),
        ("http://my_service.stack:1", "my_service.stack:1", "http://my_service.stack:1?"),
    ],
)
def test_urls(url: str, name: str, place: str) -> None:
    right = values.url(url)
    assert right.lower() == url.lower()
    assert values.node_name(right) == name
    assert values.same_place(right) == place


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8086", "influxdb-127.0.0.1-8086"),
        ("http://[::1]:8086", "influxdb-1-8086"),
        ("https://influx_1", "influxdb-influx-1-443"),
    ],
)
def test_names_of_outputs_may_stand_in_names_of_files(url: str, name: str) -> None:
    assert values.output_name_for(url) == name
    assert values.output_name(name) == name


ONE_BY_ONE: list[Callable[[Any], object]] = [
    values.duration,
    values.size,
    values.whole,
    values.switch,
    values.text,
    values.possibly_empty,
    values.url,
    values.plain_url,
    values.url_with_address,
    values.replica_name,
    values.slot,
    values.shards,
    values.shard,
    values.host,
    values.dns_name,
    values.place,
    values.port,
    values.listen,
    values.scheme,
    values.url_path,
    values.page,
    values.metric_path,
    values.label_name,
    values.output_name,
    values.secret,
    values.target,
    values.target_label,
]


def refusal(read: Callable[[Any], object], value: object) -> str | None:
    """Return what is said against a value, None if it is taken."""
    try:
        read(value)
    except ValueError as error:
        return str(error)
    return None


ODD = st.text() | st.text(alphabet="0123456789.:/@[]http%#?-_*s ") | st.text("a.-", min_size=200, max_size=300)


@pytest.mark.parametrize("read", ONE_BY_ONE, ids=lambda read: read.__name__)
@given(text=ODD)
def test_whatever_is_written_is_taken_or_refused_without_being_told(read: Callable[[Any], object], text: str) -> None:
    for value in (Scalar(text), [text], {text: text}, None):
        if isinstance(value, Scalar):
            value.quoted = False
        said = refusal(read, value)
        assert said is None or all(said.partition("; ")[::2])
        # Somebody may write the very words of a message: those are told to all who write something wrong.
        to_others = refusal(read, ["#"]) or ""
        assert said is None or len(text) < 12 or text not in said or text in to_others


@given(text=ODD)
def test_urls_that_are_taken_can_be_used(text: str) -> None:
    for candidate in (text, f"http://{text}", f"https://a:1/{text}"):
        try:
            url = values.url(candidate)
        except ValueError:
            continue
        assert values.node_name(url)
        assert values.same_place(url).startswith("http")
        assert values.output_name(values.output_name_for(url))


def test_a_host_name_of_many_letters_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no valid host"):
        values.host("a" * 250 + "!")
    with pytest.raises(ValueError, match="no valid host"):
        values.host("a-" * 120 + "!")


def test_secrets_are_read_from_files_without_the_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    info: Any = SimpleNamespace(context=values.Surroundings(tmp_path, ()))
    assert values.secret_file("token", info).get_secret_value() == "hunter2"
