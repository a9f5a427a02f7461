"""The source for nodeos, against a server that answers as the versions do, and as they never should."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from json import dumps
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.catalogue import BY_NAME
from collector.client import Client
from collector.failures import KINDS, Failure, Refused
from collector.readings import Kind, Reading
from collector.remarks import Remarks
from collector.sources.nodeos import Nodeos
from collector.sources.nodeos.endpoints import INFO, PARTS, SUPPORTED_APIS
from collector.targets import Target
from tests.answering import Answer, Answering, Answers, json
from tests.helpers import run
from tests.sources.nodeos_versions import (
    CHAIN_ID,
    DANGEROUS,
    DAWN,
    FINALIZERS,
    LEAP,
    PAGE,
    SCHEDULE,
    VERSIONS,
    connection,
    node,
)

Say = Callable[[Answering], None]


class Gathering:
    """A source at work on a server; what it reports ends in `problems`."""

    def __init__(self, server: Answering, **about: Any) -> None:  # noqa: ANN401 - what a target takes
        self.server = server
        self.problems: list[tuple[str, str]] = []
        self.target = Target("lab", "nodeos", "bp", **({"url": server.url} | about))
        self.client = Client(self.target.url, advice=Nodeos.advice)
        self.source = Nodeos(
            self.target,
            self.client,
            Remarks(logging.getLogger("chainwatch"), "lab/bp"),
            lambda kind, message: self.problems.append((kind, message)),
        )

    async def gather(self) -> Gathered:
        """Gather once."""
        return Gathered(await self.source.gather())

    async def asked(self) -> list[str]:
        """Gather once, and return the paths that it asked."""
        before = len(self.server.asked)
        await self.source.gather()
        return [path for _, path in self.server.asked[before:]]


class Gathered:
    """The readings of a gather, found by measurement and tags."""

    def __init__(self, readings: list[Reading]) -> None:
        self.readings = readings

    def __call__(self, measurement: str, /, **tags: str) -> dict[str, Any]:
        """Return the fields of the one reading that has this measurement and these tags beside the target's."""
        found = [
            reading.as_dict()
            for reading in self.readings
            if reading.shape.measurement == measurement
            and {key: value for key, value in reading.shape.tags if key not in ("chain", "node", "server", "port")}
            == tags
        ]
        assert len(found) == 1, f"{measurement} {tags} in {self.readings}"
        return found[0]

    def tags(self, measurement: str) -> list[dict[str, str]]:
        """Return the tags of every reading of a measurement."""
        return [dict(reading.shape.tags) for reading in self.readings if reading.shape.measurement == measurement]


@asynccontextmanager
async def gathering(answers: Answers, otherwise: Answer = Answer(status=404), **about: Any) -> AsyncIterator[Gathering]:  # noqa: ANN401, B008
    async with Answering(answers, otherwise) as server:
        at_work = Gathering(server, **about)
        try:
            yield at_work
        finally:
            await at_work.source.close()
            await at_work.client.close()


def gathered(answers: Answers, **about: Any) -> tuple[Gathered, list[tuple[str, str]]]:  # noqa: ANN401 - as above
    """Gather once; return the readings and the problems."""

    async def once() -> tuple[Gathered, list[tuple[str, str]]]:
        async with gathering(answers, **about) as at_work:
            return await at_work.gather(), at_work.problems

    return run(once())


def failure(answers: Answers) -> Failure:
    """Gather once and return how that failed."""
    with pytest.raises(Failure) as caught:
        gathered(answers)
    return caught.value


# What a node says


def test_everything_that_the_catalogue_knows_is_read() -> None:
    readings, problems = gathered(node())
    assert readings("chain") == {
        "head_block_number": 1_000,
        "head_block_timestamp_seconds": 1_530_794_096.5,
        "head_block_hash": "000003e8" + "0" * 56,
        "head_block_producer": "inita",
        "finalized_block_number": 980,
        "finalized_block_timestamp_seconds": 1_530_794_086.5,
        "fork_database_head_block_number": 1_002,
        "peers": 2,
        "peers_inbound": 1,
        "producers": 3,
        "producer_schedule_version": 3,
        "producer_schedule_pending": 0,
        "producer_paused": 0,
        "finalizers": 4,
        "state_database_size_bytes": 1_073_740_800,
        "state_database_used_bytes": 5_450_464_000,
        "state_database_free_bytes": 1_068_290_336,
    }
    assert readings("chain_node", version="v4.0.6", chain_id=CHAIN_ID) == {"info": 1}
    assert readings("chain_producer", producer="inita") == {
        "scheduled": 1,
        "unpaid_blocks": 72,
        "votes": 264881020055611342848.0,
    }
    assert readings("chain_producer", producer="initb") == {"scheduled": 1}
    assert readings("chain_producer", producer="standby") == {"unpaid_blocks": 0, "votes": 1.0}
    assert problems == []


def test_numbers_go_by_the_names_that_the_node_gives_them() -> None:
    readings, _ = gathered(node())
    assert readings("nodeos") == {
        "get_info_head_block_num": 1_000,
        "get_info_last_irreversible_block_num": 980,
        "get_info_virtual_block_cpu_limit": 200_000_000,
        "get_info_virtual_block_net_limit": 1_048_576_000,
        "get_info_block_cpu_limit": 199_900,
        "get_info_block_net_limit": 1_048_576,
        "get_info_fork_db_head_block_num": 1_002,
        "get_info_total_cpu_weight": 383_788_472_311_608,
        "get_info_total_net_weight": 0,
        "get_info_earliest_available_block_num": 1,
        "runtime_options_max_transaction_time": 30,
        "runtime_options_max_irreversible_block_age": -1,
        "runtime_options_incoming_defer_ratio": 1.0,
        "db_size_free_bytes": 1_068_290_336,
        "db_size_used_bytes": 5_450_464_000,
        "db_size_size": 1_073_740_800,
        "prometheus_blocks_produced": 172,
        "prometheus_head_block_num": 1_000,
    }
    assert readings("nodeos", index="account_object") == {"db_size_index_rows": 3}
    assert readings("nodeos", handler="/v1/chain/get_info") == {"prometheus_http_requests_total": 27}


def test_raw_metrics_carry_the_address_as_geths_do() -> None:
    async def test() -> None:
        async with gathering(node(), role="producer") as at_work:
            tags = (await at_work.gather()).tags("nodeos")[0]
            assert tags == {
                "chain": "lab",
                "node": "bp",
                "role": "producer",
                "server": "127.0.0.1",
                "port": str(at_work.server.port),
            }

    run(test())


def test_every_field_has_the_kind_that_the_node_declares_and_a_help() -> None:
    readings, _ = gathered(node())
    fields = {field.name: field for reading in readings.readings for field in reading.shape.fields}
    assert fields["prometheus_http_requests_total"].kind is Kind.COUNTER
    assert fields["prometheus_blocks_produced"].kind is Kind.UNKNOWN  # a counter, but not by OpenMetrics' rules
    assert fields["prometheus_head_block_num"].kind is Kind.GAUGE
    assert fields["get_info_head_block_num"].kind is Kind.UNKNOWN
    assert fields["get_info_head_block_num"].help == "nodeos get_info head_block_num"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_read_as_far_as_it_goes(version: str) -> None:
    info = VERSIONS[version]
    readings, problems = gathered({"/v1/chain/get_info": json(info)})
    values = readings("chain")
    assert values["head_block_number"] == 1_000
    assert ("finalized_block_timestamp_seconds" in values) == ("last_irreversible_block_time" in info)
    assert ("fork_database_head_block_number" in values) == ("fork_db_head_block_num" in info)
    expected = {"version": info.get("server_version_string", info["server_version"])}
    assert readings("chain_node", **expected | ({"chain_id": CHAIN_ID} if "chain_id" in info else {})) == {"info": 1}
    assert problems == []


def test_times_without_fraction_are_read() -> None:
    readings, _ = gathered({"/v1/chain/get_info": json(DAWN)})
    assert readings("chain")["head_block_timestamp_seconds"] == 1_522_931_696


def test_text_that_looks_like_a_number_stays_text() -> None:
    readings, _ = gathered(node(LEAP | {"server_version": "12345678", "head_block_producer": "12345"}))
    assert not {"get_info_server_version", "get_info_head_block_producer"} & readings("nodeos").keys()


def test_the_genesis_block_has_no_producer() -> None:
    readings, problems = gathered(node(LEAP | {"head_block_num": 1, "head_block_producer": ""}))
    assert "head_block_producer" not in readings("chain")
    assert problems == []


def test_peers_are_those_whose_handshake_is_done() -> None:
    connections = [
        connection(),
        connection("zeroed:9876", version=0),
        connection("closed:9876", is_socket_open=False),
        connection("open:9876", is_socket_open=True),
        connection("behind:9876", syncing=True),  # it takes blocks from this node: this node does not sync
    ]
    readings, _ = gathered(node() | {"/v1/net/connections": json(connections)})
    assert (readings("chain")["peers"], readings("chain")["peers_inbound"]) == (3, 1)
    assert "syncing" not in readings("chain")


@pytest.mark.parametrize("key", ["pending", "proposed"])
def test_a_schedule_that_waits_is_told(key: str) -> None:
    waiting = SCHEDULE | {key: SCHEDULE["active"]}
    readings, _ = gathered(node() | {"/v1/chain/get_producer_schedule": json(waiting)})
    assert readings("chain")["producer_schedule_pending"] == 1


def test_an_empty_pending_schedule_is_none() -> None:
    empty = SCHEDULE | {"pending": {"version": 0, "producers": []}}
    readings, _ = gathered(node() | {"/v1/chain/get_producer_schedule": json(empty)})
    assert readings("chain")["producer_schedule_pending"] == 0


def test_before_savanna_there_are_no_finalizers() -> None:
    none = FINALIZERS | {"active_finalizer_policy": None}
    readings, problems = gathered(node() | {"/v1/chain/get_finalizer_info": json(none)})
    assert "finalizers" not in readings("chain")
    assert problems == []


def test_a_paused_producer_is_told() -> None:
    readings, _ = gathered(node() | {"/v1/producer/paused": Answer(b"true", 201)})
    assert readings("chain")["producer_paused"] == 1


def test_both_generations_of_the_page_have_the_same_names() -> None:
    older, _ = gathered(node() | {"/v1/prometheus/metrics": Answer(PAGE.replace(b"nodeos_", b""))})
    newer, _ = gathered(node())
    assert older("nodeos") == newer("nodeos")


def test_the_page_of_its_own_listener_is_read() -> None:
    async def test() -> None:
        without = node()
        del without["/v1/prometheus/metrics"]
        async with Answering({"/metrics": Answer(b"# TYPE num_peers gauge\nnum_peers 7\n")}) as page:
            async with gathering(without, metrics_url=f"{page.url}/metrics") as at_work:
                assert (await at_work.gather())("nodeos")["prometheus_num_peers"] == 7
                page.answers.clear()
                assert "prometheus_num_peers" not in (await at_work.gather())("nodeos")
                assert [kind for kind, _ in at_work.problems] == ["http"]
            assert page.connections == 1

    run(test())


def test_a_page_that_hangs_costs_the_page_alone() -> None:
    async def test() -> None:
        page = Answering({}, otherwise=Answer(after=60))
        async with page, gathering(node(), metrics_url=page.url, timeout=0.5) as at_work:
            assert (await at_work.gather())("chain")["peers"] == 2
            assert [kind for kind, _ in at_work.problems] == ["timeout"]

    run(test())


def test_a_label_of_the_nodes_never_hides_one_of_ours() -> None:
    page = b'x{chain="other",port="1",cls="a",measurement="b",fields="c",values="d",empty=""} 1\n'
    readings, _ = gathered(node() | {"/v1/prometheus/metrics": Answer(page)})
    assert readings(
        "nodeos", exported_chain="other", exported_port="1", cls="a", measurement="b", fields="c", values="d"
    )


def test_labels_that_become_the_same_are_one_series() -> None:
    page = b'x{chain="other"} 1\nx{exported_chain="other"} 2\nx{port=""} 3\nx 4\n'
    readings, _ = gathered(node() | {"/v1/prometheus/metrics": Answer(page)})
    assert readings("nodeos", exported_chain="other") == {"prometheus_x": 1}
    assert readings("nodeos")["prometheus_x"] == 3


def test_names_are_paid_for_once() -> None:
    async def test() -> None:
        async with gathering(node()) as at_work:
            first = (await at_work.gather()).readings
            at_work.server.answers["/v1/chain/get_info"] = json(LEAP | {"head_block_num": 1_001})
            second = (await at_work.gather()).readings
            assert [reading.shape for reading in second] == [reading.shape for reading in first]

    run(test())


# What is asked


def test_one_connection_is_kept() -> None:
    async def test() -> None:
        async with gathering(node()) as at_work:
            for _ in range(3):
                await at_work.gather()
            assert at_work.server.connections == 1
            assert (
                at_work.server.bodies[at_work.server.asked.index(("POST", "/v1/chain/get_producers"))]
                == b'{"json":true}'
            )

    run(test())


@pytest.mark.parametrize("listed", [True, False])
def test_nothing_that_acts_is_ever_asked(listed: bool) -> None:
    """Not when the node lists it, not when it can't list anything, not after a restart."""

    async def test() -> None:
        dangerous: Answers = {path: json({}) for path in DANGEROUS}
        async with gathering(dangerous | node(listed=listed)) as at_work:
            for _ in range(2):
                await at_work.gather()
                at_work.server.hang_up()
                await at_work.gather()
            assert {path for _, path in at_work.server.asked} <= {end.path for end in (INFO, SUPPORTED_APIS, *PARTS)}
            assert not {path for _, path in at_work.server.asked} & set(DANGEROUS)

    run(test())


def test_what_the_node_offers_is_asked_once() -> None:
    async def test() -> None:
        answers = node()
        answers["/v1/node/get_supported_apis"] = json({"apis": ["/v1/chain/get_info", "/v1/producer/paused"]})
        async with gathering(answers) as at_work:
            assert await at_work.asked() == ["/v1/chain/get_info", SUPPORTED_APIS.path, "/v1/producer/paused"]
            assert await at_work.asked() == ["/v1/chain/get_info", "/v1/producer/paused"]

    run(test())


def test_a_node_that_cannot_list_what_it_offers_is_asked_for_each_once() -> None:
    async def test() -> None:
        answers = node(DAWN, listed=False)
        for path in ("/v1/db_size/get", "/v1/chain/get_finalizer_info", "/v1/prometheus/metrics"):
            del answers[path]
        async with gathering(answers) as at_work:
            assert len(await at_work.asked()) == 2 + len(PARTS)
            assert set(await at_work.asked()) == answers.keys()
            assert at_work.problems == []

    run(test())


def _restart(server: Answering) -> None:
    server.hang_up()


def _upgrade(server: Answering) -> None:
    server.answers["/v1/chain/get_info"] = json(LEAP | {"server_version_string": "v5.0.3"})


@pytest.mark.parametrize("happening", [_restart, _upgrade])
def test_what_the_node_offers_is_asked_again_after(happening: Say) -> None:
    async def test() -> None:
        async with gathering(node()) as at_work:
            await at_work.gather()
            assert SUPPORTED_APIS.path not in await at_work.asked()
            happening(at_work.server)
            await asyncio.sleep(0.01)
            assert SUPPORTED_APIS.path in await at_work.asked()
            assert SUPPORTED_APIS.path not in await at_work.asked()
            assert at_work.problems == []

    run(test())


def test_what_the_node_offers_is_asked_again_after_a_failed_gather() -> None:
    async def test() -> None:
        async with gathering(node()) as at_work:
            await at_work.gather()
            at_work.server.answers["/v1/chain/get_info"] = Answer(b"", 500)
            with pytest.raises(Refused):
                await at_work.gather()
            at_work.server.answers |= node()
            assert SUPPORTED_APIS.path in await at_work.asked()

    run(test())


def test_a_cancelled_gather_leaves_the_source_fit_for_the_next() -> None:
    async def test() -> None:
        async with gathering(node()) as at_work:
            await at_work.gather()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await at_work.gather()
            assert SUPPORTED_APIS.path in await at_work.asked()
            assert at_work.problems == []

    run(test())


def test_a_server_that_closes_after_each_answer_is_not_taken_for_one_that_restarts() -> None:
    async def test() -> None:
        closing: Answers = {}
        for path, answer in node().items():
            assert isinstance(answer, Answer)
            closing[path] = Answer(answer.body, answer.status, answer.headers, closes=True)
        async with gathering(closing) as at_work:
            await at_work.gather()
            assert SUPPORTED_APIS.path not in await at_work.asked()

    run(test())


def test_an_address_below_a_path_is_asked_there() -> None:
    async def test() -> None:
        async with gathering({"/eos/v1/chain/get_info": json(LEAP)}) as at_work:
            at_work.source = Nodeos(
                Target("lab", "nodeos", "bp", at_work.server.url + "/eos/"),
                at_work.client,
                Remarks(logging.getLogger("chainwatch"), ""),
                lambda *_: None,
            )
            assert (await at_work.gather())("chain")["head_block_number"] == 1_000

    run(test())


# What the user selects


def test_only_what_is_selected_is_told_and_asked() -> None:
    async def test() -> None:
        async with gathering(node(), metrics=("get_info.head_*", "db_size.index_rows")) as at_work:
            readings = await at_work.gather()
            assert readings("nodeos") == {"get_info_head_block_num": 1_000}
            assert readings("nodeos", index="account_object") == {"db_size_index_rows": 3}
            paths = {path for _, path in at_work.server.asked}
            assert "/v1/prometheus/metrics" not in paths
            assert "/v1/producer/get_runtime_options" not in paths
            assert readings("chain")["peers"] == 2  # the catalogue's metrics are no matter of selection

    run(test())


def test_nothing_selected_leaves_the_catalogues_metrics() -> None:
    readings, _ = gathered(node(), metrics=())
    assert readings.tags("nodeos") == []
    assert readings("chain")["head_block_number"] == 1_000


def test_a_path_that_matches_nothing_is_said_once_with_what_may_be_meant(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        metrics = ("get_info.head_block_number", "prometeus", "get_info.head_block_num")
        async with gathering(node(), metrics=metrics) as at_work:
            await at_work.gather()
            at_work.server.hang_up()
            await at_work.gather()

    run(test())
    said = [record.getMessage() for record in caplog.records if "matches nothing" in record.getMessage()]
    assert len(said) == 2
    assert "get_info.head_block_number matches nothing" in said[0]
    assert "did you mean get_info.head_block_num" in said[0]
    assert said[1].endswith("prometeus matches nothing that this node offers; did you mean prometheus?")


def test_a_path_is_not_called_unmatched_because_its_endpoint_failed(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with gathering(node(), metrics=("db_size",)) as at_work:
            at_work.server.answers["/v1/db_size/get"] = Answer(b"", 500)
            await at_work.gather()

    run(test())
    assert "matches nothing" not in caplog.text


def test_missing_plugins_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with gathering({"/v1/chain/get_info": json(LEAP)}) as at_work:
            for _ in range(2):
                await at_work.gather()
                at_work.server.hang_up()

    with caplog.at_level(logging.INFO, "chainwatch"):
        run(test())
    assert len([record for record in caplog.records if "eosio::net_api_plugin" in record.getMessage()]) == 1


# What can go wrong


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_node_is_told_apart(status: int) -> None:
    said = {"code": status, "message": "Busy", "error": {"code": status, "name": "Busy", "what": "Too many requests"}}
    busy = failure({"/v1/chain/get_info": json(said, status)})
    assert busy.kind == "busy"
    assert "http-max-in-flight-requests" in str(busy)


def test_a_refused_host_header_comes_with_what_to_do() -> None:
    said = {"code": 400, "message": "Disallowed HTTP HOST header in the request", "error": {"code": 0, "details": []}}
    refused = failure({"/v1/chain/get_info": json(said, 400)})
    assert refused.kind == "bad_host"
    assert "http-validate-host=false" in str(refused)
    assert "http-alias" in str(refused)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=404), "http"),
        (Answer(status=500), "http"),
        (Answer(cut=True), "cut_off"),
        (Answer(b"<html>"), "not_json"),
        (Answer(b""), "not_json"),
        (json([]), "bad_answer"),
        (json({}), "bad_answer"),
        (json("head"), "bad_answer"),
        (json(LEAP | {"head_block_num": "many"}), "bad_answer"),
        (json(LEAP | {"head_block_num": -1}), "bad_answer"),
        (json(LEAP | {"head_block_num": True}), "bad_answer"),
        (json(LEAP | {"head_block_time": "yesterday"}), "bad_answer"),
        (json(LEAP | {"head_block_time": "2018-13-45T12:34:56"}), "bad_answer"),
    ],
)
def test_without_get_info_the_gather_fails(answer: Answer, kind: str) -> None:
    assert failure(node() | {"/v1/chain/get_info": answer}).kind == kind


@pytest.mark.parametrize("odd", [{"head_block_id": "<b>"}, {"chain_id": 7}, {"head_block_producer": "A B"}])
def test_an_odd_text_costs_itself_alone(odd: dict[str, object]) -> None:
    readings, problems = gathered(node(LEAP | odd))
    assert readings("chain")["head_block_number"] == 1_000
    assert [kind for kind, _ in problems] == ["bad_answer"]
    assert next(iter(odd)) in problems[0][1]


LOST = {  # by the endpoint that fails, what is missing then
    "/v1/net/connections": {"peers", "peers_inbound"},
    "/v1/producer/paused": {"producer_paused"},
    "/v1/db_size/get": {"state_database_size_bytes", "state_database_used_bytes", "state_database_free_bytes"},
    "/v1/chain/get_producer_schedule": {"producers", "producer_schedule_version", "producer_schedule_pending"},
    "/v1/chain/get_producers": set(),
    "/v1/chain/get_finalizer_info": {"finalizers"},
}


@pytest.mark.parametrize("path", LOST)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=500), "http"),
        (Answer(status=403), "forbidden"),
        (Answer(status=503), "busy"),
        (Answer(b"\xff\x00garbage"), "not_json"),
        (json({"nothing": "of it"}), "bad_answer"),
        (json([[]]), "bad_answer"),
        (json(7), "bad_answer"),
        (json(None), "bad_answer"),
    ],
)
def test_a_part_that_fails_costs_that_part_alone(path: str, answer: Answer, kind: str) -> None:
    readings, problems = gathered(node() | {path: answer})
    whole, _ = gathered(node())
    assert whole("chain").keys() - readings("chain").keys() == LOST[path]
    assert [told for told, _ in problems] == [kind]
    assert path in problems[0][1]


@pytest.mark.parametrize(
    "page",
    [
        b"\xff\xfe",
        b"x{",
        b"x 1\n" * 300_000,
        b'x{a="' + b"y" * 10_000 + b'"} 1\n',
        b"x y\n",
        b"# TYPE x x y\n# TYPE\nx{} 1 x",
    ],
)
def test_a_page_that_is_none_costs_the_page_alone(page: bytes) -> None:
    readings, problems = gathered(node() | {"/v1/prometheus/metrics": Answer(page)})
    assert readings("nodeos")["get_info_head_block_num"] == 1_000
    assert [kind for kind, _ in problems] == ["bad_answer"]


def test_an_unusable_list_of_what_is_offered_is_no_hindrance() -> None:
    for odd in (Answer(b"{"), json({"apis": "all"}), json({"apis": [{}]}), json([]), Answer(status=500)):
        readings, _ = gathered(node() | {SUPPORTED_APIS.path: odd})
        assert readings("chain")["peers"] == 2


def test_a_node_that_dies_in_mid_gather_is_told_once() -> None:
    readings, problems = gathered(node() | {"/v1/net/connections": Answer(cut=True)})
    assert readings("chain")["head_block_number"] == 1_000
    assert "producers" not in readings("chain")
    assert [kind for kind, _ in problems] == ["cut_off"]


def test_lists_that_never_end_are_cut() -> None:
    def name(number: int) -> str:
        return "".join("abcdefghij"[int(digit)] for digit in str(number))

    many = [{"producer_name": name(number)} for number in range(5_000)]
    rows = [{"owner": name(number), "total_votes": "1.0"} for number in range(5_000)]
    indices = [{"index": f"index{number}", "row_count": 1} for number in range(5_000)]
    page = b"".join(b'x{n="%d"} 1\n' % number for number in range(20_000))
    answers = node() | {
        "/v1/net/connections": json([connection()] * 5_000),
        "/v1/chain/get_producer_schedule": json({"active": {"version": 1, "producers": many}}),
        "/v1/chain/get_producers": json({"rows": rows}),
        "/v1/db_size/get": json({"size": 1, "used_bytes": 1, "free_bytes": 0, "indices": indices}),
        "/v1/prometheus/metrics": Answer(page),
        "/v1/producer/get_runtime_options": json({f"option{number}": number for number in range(50_000)}),
    }
    readings, problems = gathered(answers)
    assert problems == []
    assert readings("chain")["peers"] == 1_000
    assert len(readings.tags("chain_producer")) == 200
    assert len([tags for tags in readings.tags("nodeos") if "index" in tags]) == 200
    assert len([tags for tags in readings.tags("nodeos") if "n" in tags]) == 5_000
    assert 10_000 <= len(readings("nodeos")) < 10_100


def test_hostile_text_never_becomes_a_label() -> None:
    bad = "eosio\n# TYPE chain_up gauge\x00\u202e" + "x" * 500
    page = b'x{a="' + b"y" * 500 + b'"} 1\n'
    readings, problems = gathered(
        node(LEAP | {"server_version_string": bad, "chain_id": bad, "head_block_id": bad, "head_block_producer": bad})
        | {
            "/v1/chain/get_producers": json({"rows": [{"owner": bad, "total_votes": "1.0"}]}),
            "/v1/db_size/get": json(
                {"size": 1, "used_bytes": 1, "free_bytes": 0, "indices": [{"index": bad, "row_count": 1}]}
            ),
            "/v1/prometheus/metrics": Answer(page),
        },
    )
    for reading in readings.readings:
        for key, value in reading.shape.tags:
            assert value.isprintable(), (key, value)
            assert len(value) <= 100, (key, value)
    assert {kind for kind, _ in problems} == {"bad_answer"}


# Anything

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=20), below, max_size=4),
    max_leaves=12,
)
NUMBERS = st.sampled_from(["nan", "-nan", "inf", "1e999", "9" * 400, "-0", "1.5", 10**30, -(2**63), 2**64, 1e308])
DOCUMENTS = {
    "/v1/chain/get_info": LEAP,
    "/v1/net/connections": [connection()],
    "/v1/producer/paused": False,
    "/v1/producer/get_runtime_options": {"a": 1},
    "/v1/db_size/get": {"size": 1, "used_bytes": 1, "free_bytes": 1, "indices": [{"index": "a", "row_count": 1}]},
    "/v1/chain/get_producer_schedule": SCHEDULE,
    "/v1/chain/get_producers": {"rows": [{"owner": "a", "total_votes": "1.0", "unpaid_blocks": 1}]},
    "/v1/chain/get_finalizer_info": FINALIZERS,
    SUPPORTED_APIS.path: {"apis": [part.path for part in PARTS]},
}


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, object]:
    """Draw an endpoint and its document, with anything at all in some place of it."""
    path = draw(st.sampled_from(sorted(DOCUMENTS)))
    document = deepcopy(DOCUMENTS[path])
    place: Any = None
    within: Any = {None: document}
    while isinstance(within[place], dict | list) and within[place] and draw(st.booleans()):
        within = within[place]
        place = draw(st.sampled_from(sorted(within) if isinstance(within, dict) else list(range(len(within)))))
    within[place] = draw(ANYTHING | NUMBERS)
    return path, document if place is not None else within[None]


@settings(max_examples=60)
@given(spoiling=st.lists(spoiled(), min_size=1, max_size=3))
def test_whatever_a_node_answers_yields_sound_readings_or_a_failure(spoiling: list[tuple[str, object]]) -> None:
    answers = node()
    for path, document in spoiling:
        answers[path] = Answer(dumps(document).encode())
    _check(answers)


@settings(max_examples=60)
@given(page=st.binary(max_size=200) | st.text('xX_{}",=# \n\\TYPEHLcountrgae019.-+eNIif', max_size=200).map(str.encode))
def test_whatever_stands_on_the_page_yields_sound_readings(page: bytes) -> None:
    _check(node() | {"/v1/prometheus/metrics": Answer(page)})


def _check(answers: Answers) -> None:
    try:
        readings, problems = gathered(answers)
    except Failure:
        return
    assert {kind for kind, _ in problems} <= set(KINDS)
    seen = set()
    for reading in readings.readings:
        assert reading.shape.key not in seen
        seen.add(reading.shape.key)
        assert len(reading.values) == len(reading.shape.fields) > 0
        for field, value in zip(reading.shape.fields, reading.values, strict=True):
            if field.kind is Kind.TEXT:
                assert isinstance(value, str)
            else:
                assert isinstance(value, int | float)
                assert math.isfinite(value)
            if reading.shape.measurement != "nodeos":
                assert f"{reading.shape.measurement}_{field.name}" in BY_NAME
