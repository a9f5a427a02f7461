"""Traefik's dynamic configuration without some servers: all else is what it was, and no list is ever empty."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporters.traefik.dynamic import Dynamic, names_of

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
    made = both.without({"a"})
    assert served(made.content) == {"http": ["http://b:8545"], "ws": ["http://b:8546"]}
    assert made.out == {"a", "a:8545", "a:8546"}
    made = both.without({"b:8546"})
    assert served(made.content) == {"http": ["http://a:8545", "http://b:8545"], "ws": ["http://a:8546"]}
    assert made.out == {"b:8546"}
    assert made.kept == ()
    made = both.without(set())
    assert served(made.content)["ws"] == ["http://a:8546", "http://b:8546"]
    assert both.also({"a"}) == {"a", "a:8545", "a:8546"}
    assert both.also({"a:8545", "c"}) == {"a", "a:8545"}
    assert both.names == {"a", "b", "a:8545", "b:8545", "a:8546", "b:8546"}


def test_a_list_is_never_emptied() -> None:
    made = dynamic(all=["http://a:1", "http://b:1"], one=["http://a:1"], other=["http://c:1"]).without({"a", "b"})
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
    assert names_of(url) == names


def test_all_else_is_what_it_was() -> None:
    """Values are kept as they are written: to Traefik `1:30` is a text, to YAML 1.1 it is a number."""
    content = Dynamic(ODD).without({"client-2"}).content
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
    made = Dynamic(text).without({"b"})
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
    assert dynamic.names == set()
    assert dynamic.without({"a"}).out == set()


def test_what_was_made_of_a_configuration_is_known_again() -> None:
    both = dynamic(http=["http://a:8545", "http://b:8545"], ws=["http://a:8546", "http://b:8546"])
    for names in (set[str](), {"a"}, {"b:8546"}):
        made = both.without(names)
        assert both.as_in(made.content) == made
    other = dynamic(http=["http://a:8545", "http://c:8545"])
    for content in (other.without({"c"}).content, made.content[:-20], b"", b"\xff", b"{", b"[" * 100_000, b"*a"):
        assert both.as_in(content) is None


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
    made = Dynamic(text).without(behind)
    left = [host for host in hosts if host not in behind] or hosts
    assert yaml.safe_load(made.content) == configuration(left)
    again = Dynamic(text).as_in(made.content)
    assert again is not None
    assert again[:2] == made[:2]


def test_dates_stay_dates() -> None:
    made = Dynamic("{a: 2001-12-14}").without(set())
    assert yaml.safe_load(made.content) == {"a": dt.date(2001, 12, 14)}
