"""What is asked, and what is taken for an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.load.calls import GET_INFO, Call, call

INFO = call(GET_INFO, "/", None)
BLOCK = call("/v1/chain/get_block", "/eos/", '{"block_num_or_id":1}')
RPC = call("eth_getBlockByNumber", "/rpc", '["latest",true]')


def test_nodeos_is_asked_by_path() -> None:
    assert INFO.request("node:8888", keep=True) == (
        b"GET /v1/chain/get_info HTTP/1.1\r\nHost: node:8888\r\nUser-Agent: chainwatch-load\r\n"
        b"Accept: application/json\r\n\r\n"
    )
    request = BLOCK.request("node", keep=False)
    assert request.startswith(b"POST /eos/v1/chain/get_block HTTP/1.1\r\nHost: node\r\n")
    assert request.endswith(b'Content-Length: 21\r\nConnection: close\r\n\r\n{"block_num_or_id":1}')


def test_geth_is_asked_by_method() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",true]}'
    request = RPC.request("node", keep=True)
    assert request.startswith(b"POST /rpc HTTP/1.1\r\n")
    assert request.endswith(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.mark.parametrize(
    ("asked", "status", "body", "failure"),
    [
        (INFO, 200, b'{"head_block_num":1}', None),
        (INFO, 201, b'{"head_block_num":0,"x":[]}', None),
        (INFO, 204, b"", "not_json"),
        (INFO, 200, b"", "not_json"),
        (INFO, 200, b'{"head_block_num":1', "not_json"),
        (INFO, 200, b'{"head_block_num":NaN}', "not_json"),
        (INFO, 200, b'{"head_block_num":"1"}', "not_asked"),
        (INFO, 200, b'{"head_block_num":true}', "not_asked"),
        (INFO, 200, b'{"head":1}', "not_asked"),
        (INFO, 200, b"[]", "not_asked"),
        (INFO, 200, b"true", "not_asked"),
        (INFO, 503, b'{"head_block_num":1}', "status_503"),
        (INFO, 302, b"", "status_302"),
        (BLOCK, 200, b"true", None),
        (BLOCK, 200, b"{}", None),
        (BLOCK, 200, b"{", "not_json"),
        (RPC, 200, b'{"jsonrpc":"2.0","id":1,"result":null}', None),
        (RPC, 200, b'{"jsonrpc":"2.0","id":1,"result":"0x4","error":null}', None),
        (RPC, 200, b'{"jsonrpc":"2.0","id":2,"result":"0x4"}', "not_asked"),
        (RPC, 200, b'{"jsonrpc":"2.0","id":1}', "not_asked"),
        (RPC, 200, b'[{"jsonrpc":"2.0","id":1,"result":"0x4"}]', "not_asked"),
        (RPC, 200, b'{"id":null,"error":{"code":-32700,"message":"x"}}', "rpc_error_-32700"),
        (RPC, 200, b'{"id":1,"error":{"code":"7"}}', "rpc_error"),
        (RPC, 200, b'{"id":1,"error":{"code":123456789012}}', "rpc_error"),
        (RPC, 200, b'{"id":1,"error":"no"}', "rpc_error"),
        (RPC, 404, b'{"id":1,"result":1}', "status_404"),
    ],
)
def test_what_is_an_answer(asked: Call, status: int, body: bytes, failure: str | None) -> None:
    assert asked.failure(status, body) == failure


def test_a_recorded_answer_of_the_other_kind_is_none() -> None:
    recorded = Path("compose/simulated/recorded/nodeos-4.0.6-db_size.json").read_bytes()
    assert INFO.failure(200, recorded) == "not_asked"
    assert BLOCK.failure(200, recorded) is None


@given(st.sampled_from([INFO, BLOCK, RPC]), st.integers(100, 999), st.binary(max_size=200))
def test_nothing_that_comes_breaks_it(asked: Call, status: int, body: bytes) -> None:
    assert asked.failure(status, body) != ""


@pytest.mark.parametrize("asked", [INFO, BLOCK, RPC])
def test_nor_does_depth(asked: Call) -> None:
    assert asked.failure(200, b"[" * 1_000_000) == "not_json"
