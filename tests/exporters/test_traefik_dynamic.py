"""Traefik's dynamic configuration without some servers: all else is what it was, and no list is ever empty."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporters.traefik.dynamic import Dynamic, Name, Replica, names_of

ODD = """
http:
  routers:
    c: {rule: "Host(`ä.example`) && PathPrefix(`/`)", service: c, priority: 010}
  middlewares:
    m:
      headers: {customRequestHeaders: {X-A: 1:30, X-B: yes, X-C: 0o17, X-D: ~, X-E: "7", X-F: '07', X-G: 1e3}}
      replacePathRegex: {regex: "^/x/(.*)", replacement: '/${1}{{ env "A" }}'}
      plugin: {day: 2001-12-14, text: "two\\nlines\\t"}
  services:
    c:
      loadBalancer:
        healthCheck: {path: /, interval: 2s}
        servers:
          - {url: http://client-1:8545, weight: 1}
          - {url: http://client-2:8545, weight: 2_000}
"""


def served(content: bytes) -> dict[str, list[str]]:
    """Return the URLs of each service."""
    services = yaml.safe_load(content)["http"]["services"]
    return {
        name: [server["url"] for server in service["loadBalancer"]["servers"]] for name, service in services.items()
    }


def dynamic(**services: list[str]) -> Dynamic:
    """Return a configuration with these services."""
    lists = {name: {"loadBalancer": {"servers": [{"url": url} for url in urls]}} for name, urls in services.items()}
    return Dynamic(yaml.safe_dump({"http": {"services": lists}}))


def test_servers_of_a_node_by_host_and_by_host_and_port() -> None:
    both = dynamic(http=["http://a:8545", "http://b:8545"], ws=["http://a:8546", "http://b:8546"])
    made = both.without({"a"}, {})
    assert served(made.content) == {"http": ["http://b:8545"], "ws": ["http://b:8546"]}
    assert made.out == {"a", "a:8545", "a:8546"}
    made = both.without({"b:8546"}, {})
    assert served(made.content) == {"http": ["http://a:8545", "http://b:8545"], "ws": ["http://a:8546"]}
    assert made.out == {"b:8546"}
    assert made.kept == ()
    made = both.without(set(), {})
    assert served(made.content)["ws"] == ["http://a:8546", "http://b:8546"]
    assert made.names == {"a", "b", "a:8545", "b:8545", "a:8546", "b:8546"}


def test_a_list_is_never_emptied() -> None:
    made = dynamic(all=["http://a:1", "http://b:1"], one=["http://a:1"], other=["http://c:1"]).without({"a", "b"}, {})
    assert served(made.content) == {"all": ["http://a:1", "http://b:1"], "one": ["http://a:1"], "other": ["http://c:1"]}
    assert made.out == set()
    assert made.kept == ("all", "one")


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("http://Client-1:8545/", {"client-1", "client-1:8545"}),
        ("http://user:pw@a", {"a", "a:80"}),
        ("https://a/x", {"a", "a:443"}),
        ("http://[::1]:8545", {"::1", "[::1]:8545"}),
        ("h2c://127.0.0.1:1", {"127.0.0.1", "127.0.0.1:1"}),
        ("http://a:port", set()),
        ("http://[::1", set()),
        ("", set()),
        ("client-1", set()),
    ],
)
def test_names_of_a_url(url: str, names: set[str]) -> None:
    assert names_of(url)[1] == names


def test_all_else_is_what_it_was() -> None:
    """Values are kept as they are written: to Traefik `1:30` is a text, to YAML 1.1 it is a number."""
    content = Dynamic(ODD).without({"client-2"}, {}).content
    expected = yaml.safe_load(ODD)
    del expected["http"]["services"]["c"]["loadBalancer"]["servers"][1]
    assert yaml.safe_load(content) == expected
    text = content.decode()
    for value in ("X-A: 1:30", "X-B: yes", "X-C: 0o17", "X-D: ~", 'X-E: "7"', "X-F: '07'", "X-G: 1e3", "priority: 010"):
        assert value in text
    assert """'/${1}{{ env "A" }}'""" in text
    assert "ä.example" in text


def test_anchors_and_merges() -> None:
    text = """
http:
  services:
    a: {loadBalancer: &lb {passHostHeader: false, servers: &servers [{url: http://a:1}, &b {url: http://b:1}]}}
    b: {loadBalancer: {servers: *servers}}
    c: {loadBalancer: {<<: *lb, passHostHeader: true}}
    d: {loadBalancer: {servers: [*b, {<<: *b, weight: 2}, {url: http://c:1}]}}
    e: {weighted: {services: [{name: a}]}}
"""
    made = Dynamic(text).without({"b"}, {})
    services = yaml.safe_load(made.content)["http"]["services"]
    only_a = [{"url": "http://a:1"}]
    assert services["a"]["loadBalancer"] == {"passHostHeader": False, "servers": only_a}
    assert services["b"]["loadBalancer"] == {"servers": only_a}
    assert services["c"]["loadBalancer"] == {"passHostHeader": True, "servers": only_a}
    assert services["d"]["loadBalancer"] == {"servers": [{"url": "http://c:1"}]}
    assert services["e"] == {"weighted": {"services": [{"name": "a"}]}}


@pytest.mark.parametrize(
    "text",
    [
        "http: 1",
        "[]",
        "http: {services: []}",
        "http: {services: {a: 1, b: {loadBalancer: 2}, c: {loadBalancer: {servers: 3}}}}",
        "http: {services: {a: {loadBalancer: {servers: [1, {x: 1}, {url: [1]}, [], ~]}}}}",
        "http: &h {services: &s {<<: [*h, *s, 1], a: {<<: 2}}}",
        "? [1]\n: 2",
    ],
)
def test_nothing_that_is_no_configuration_is_an_error(text: str) -> None:
    dynamic = Dynamic(text)
    made = dynamic.without({"a"}, {})
    assert made.names == set()
    assert made.out == set()


def test_what_was_made_of_a_configuration_is_known_again() -> None:
    both = dynamic(http=["http://a:8545", "http://b:8545"], ws=["http://a:8546", "http://b:8546"])
    for names in (set[Name](), {"a"}, {"b:8546"}):
        made = both.without(names, {})
        assert both.alike(made.content)
    assert both.alike(dynamic(http=["http://c:8545"], ws=["http://c:8546"]).without(set(), {}).content), (
        "but for servers"
    )
    other = dynamic(http=["http://a:8545", "http://c:8545"]).without(set(), {}).content
    for content in (other, made.content[:-20], b"", b"\xff", b"{", b"[" * 100_000, b"*a"):
        assert not both.alike(content)
    assert Dynamic(ODD).alike(Dynamic(ODD).without({"client-2"}, {}).content)
    assert not Dynamic(ODD.replace("1:30", "1:31")).alike(Dynamic(ODD).without(set(), {}).content)
    assert not Dynamic("http: 1").alike(b"http: 1"), "there is nothing to know it by"


TASKS = "http://user:pw@Tasks.Worker.:8888/x"
ONE, TWO, SIX = (
    Replica(("lab", name), address) for name, address in [("w1", "10.0.0.1"), ("w2", "10.0.0.2"), ("w6", "fd00::6")]
)


def test_a_dns_name_stands_for_everyone_behind_it() -> None:
    both = dynamic(c=[TASKS, "https://tasks.worker", "http://other:1"])
    replicas = {"tasks.worker": [ONE, TWO, SIX]}
    made = both.without({ONE.node}, replicas)
    assert served(made.content)["c"] == [
        "http://user:pw@10.0.0.2:8888/x",
        "http://user:pw@[fd00::6]:8888/x",
        "https://10.0.0.2",
        "https://[fd00::6]",
        "http://other:1",
    ]
    assert made.names == {ONE.node, TWO.node, SIX.node, "other", "other:1"}
    assert made.out == {ONE.node}
    assert (
        served(both.without({"w2", ("other", "w2")}, replicas).content)["c"][1:3]
        == served(both.without(set(), replicas).content)["c"][1:3]
    ), "a name alone, or of another chain, is not theirs"
    alone = dynamic(c=[TASKS]).without({ONE.node}, {"tasks.worker": [ONE]})
    assert served(alone.content)["c"] == ["http://user:pw@10.0.0.1:8888/x"]
    assert alone.kept == ("c",)
    assert served(both.without(set(), {}).content)["c"][0] == TASKS, "nobody is known: it stands for itself"
    assert both.alike(made.content)
    assert both.alike(alone.content)


def test_what_else_a_server_says_is_said_of_all() -> None:
    text = """
http:
  services:
    c: {loadBalancer: {servers: [&s {weight: 010, url: 'http://t:1', preservePath: yes}, {<<: *s, weight: 2}]}}
"""
    content = Dynamic(text).without(set(), {"t": [ONE, TWO]}).content
    servers = yaml.safe_load(content)["http"]["services"]["c"]["loadBalancer"]["servers"]
    assert servers == [
        {"url": "http://10.0.0.1:1", "weight": 8, "preservePath": True},
        {"url": "http://10.0.0.2:1", "weight": 8, "preservePath": True},
        {"url": "http://10.0.0.1:1", "weight": 2, "preservePath": True},
        {"url": "http://10.0.0.2:1", "weight": 2, "preservePath": True},
    ]
    assert b"weight: 010" in content


def test_all_are_known_once_each_server_is() -> None:
    both = dynamic(c=[TASKS, "http://other:1"])
    replicas = {"tasks.worker": [ONE, TWO]}
    assert both.all_of({ONE.node, TWO.node, "other"}, replicas)
    assert not both.all_of({ONE.node, "other"}, replicas)
    assert not both.all_of({ONE.node, TWO.node}, replicas)
    assert not both.all_of({ONE.node, TWO.node, "other"}, {}), "of the name itself nobody hears"


KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"), max_size=8)
SCALARS = (
    st.none() | st.booleans() | st.integers() | KEYS | st.dates() | st.sampled_from(["1:30", "on", "~", "0x1", "<<"])
)
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@given(TREES, st.lists(st.sampled_from(["a", "b", "c"]), max_size=4), st.sets(st.sampled_from(["a", "b", "c"])))
def test_any_configuration_passes_through(tree: Any, hosts: list[str], behind: set[str]) -> None:  # noqa: ANN401
    def configuration(hosts: list[str]) -> dict[str, Any]:
        servers = [{"url": f"http://{host}:1", "more": tree} for host in hosts]
        return {"more": tree, "http": {"services": {"s": {"loadBalancer": {"servers": servers, "more": tree}}}}}

    text = yaml.safe_dump(configuration(hosts), allow_unicode=True)
    made = Dynamic(text).without(behind, {})
    left = [host for host in hosts if host not in behind] or hosts
    assert yaml.safe_load(made.content) == configuration(left)
    assert Dynamic(text).alike(made.content) == bool(hosts)
    replicas = {"a": [ONE, SIX]}
    among = {"a": ["10.0.0.1", "[fd00::6]"]}
    expected = configuration([each for host in hosts for each in among.get(host, [host])])
    assert yaml.safe_load(Dynamic(text).without(set(), replicas).content) == expected


def test_dates_stay_dates() -> None:
    made = Dynamic("{a: 2001-12-14}").without(set(), {})
    assert yaml.safe_load(made.content) == {"a": dt.date(2001, 12, 14)}
