"""Connections: every state of a client ends, and no crowd of them keeps others out."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import uvicorn

from coldstart.serve import security
from coldstart.serve.connections import ConnectionLimits, room_for
from coldstart.serve.server import server_config
from tests.waiting import PATIENCE

LONG = ConnectionLimits(
    header_seconds=PATIENCE,
    idle_seconds=PATIENCE,
    linger_seconds=PATIENCE,
    stall_seconds=PATIENCE,
)
GET = b"GET /fine HTTP/1.1\r\nhost: x\r\n\r\n"


async def application(scope, receive, send):
    """Answers ``/fine`` without the body, ``/wait`` never, ``/long`` with 64 MB, others with it."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    if scope["path"] == "/wait":
        while (await receive())["type"] != "http.disconnect":
            pass
        return None
    if scope["path"] == "/body":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000 if scope["path"] == "/long" else 1):
        body = b"." * (65536 if scope["path"] == "/long" else 4)
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def serving(**limits):
    """A server of ``application``; gives what opens a connection to it."""
    chosen = {n: limits.get(n, getattr(LONG, n)) for n in vars(LONG)}
    config = server_config(application, ConnectionLimits(**chosen), port=0)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    opened: list[asyncio.StreamWriter] = []

    async def connect(*sent):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        opened.append(writer)
        for part in sent:
            writer.write(part)
            await writer.drain()
        return reader, writer

    connect.open = server.server_state.connections
    try:
        yield connect
    finally:
        for writer in opened:
            writer.transport.abort()
        server.should_exit = True
        await task


async def answer(reader):
    """Status and headers of the next response, and what is left of it so far."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode()
    status, *lines = head.strip().split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in lines)


async def end(reader):
    """Wait for the connection's end; returns what came before it."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE)
    except ConnectionResetError:
        return b""


def run(test):
    return asyncio.run(asyncio.wait_for(test(), PATIENCE))


@pytest.mark.parametrize(
    "sent",
    [(), (b"GET / HT",), (b"\r\n",), (GET, b"GET / HTTP/1.1\r\nx: "), (GET, b"\r\n")],
    ids=["nothing", "a line", "no line", "a second request", "an empty line"],
)
def test_headers_that_do_not_end_are_not_waited_for(sent):
    async def test():
        async with serving(header_seconds=0.1, idle_seconds=0.1) as connect:
            reader, writer = await connect(*sent)
            dripping = asyncio.create_task(drip(writer, b"\r\n" if b"\r\n" in sent else b"a"))
            came = await end(reader)
            assert came.startswith(b"HTTP/1.1 200") == (GET in sent)
            dripping.cancel()

    async def drip(writer, what):
        while True:
            await asyncio.sleep(0.01)
            writer.write(what)

    run(test)


def test_headers_have_a_size():
    async def test():
        async with serving() as connect:
            reader, _ = await connect(b"GET / HTTP/1.1\r\nx: ", b"a" * 20_000)
            status, headers = await answer(reader)
            assert (status, headers["connection"]) == (431, "close")
            assert headers["x-content-type-options"] == "nosniff"
            body = json.loads(await reader.read(int(headers["content-length"])))
            assert body["error"] == "long_headers"

    run(test)


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00", b"GET / HTTP/9\r\n\r\n"],
)
def test_what_is_no_request_is_refused_in_the_form_of_the_service(sent):
    async def test():
        async with serving() as connect:
            reader, writer = await connect(sent)
            if b"\n" not in sent:
                writer.write(b"\r\n\r\n")
            status, headers = await answer(reader)
            assert status == 400
            assert json.loads(await reader.read())["error"] == "bad_request"
            assert "retry-after" not in headers

    run(test)


def test_a_body_that_is_not_read_is_not_waited_for_either():
    promised = b"POST /fine HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"

    async def test():
        async with serving(linger_seconds=0.1) as connect:
            reader, _ = await connect(promised)
            assert (await answer(reader))[0] == 200
            await end(reader)
        async with serving() as connect:  # a body that does come leaves the connection usable
            reader, writer = await connect(promised, b"." * 999, GET)
            assert (await answer(reader))[0] == 200
            await reader.readuntil(b"0\r\n\r\n")
            assert (await answer(reader))[0] == 200

    run(test)


def test_a_body_that_is_no_body_ends_the_request():
    broken = b"POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"

    async def test():
        async with serving() as connect:
            reader, _ = await connect(broken)
            assert (await answer(reader))[0] == 400
            reader, _ = await connect(GET)
            assert (await answer(reader))[0] == 200

    run(test)


def test_who_does_not_read_the_response_is_left():
    async def test():
        async with serving(stall_seconds=0.2) as connect:
            reader, writer = await connect()
            writer.transport.pause_reading()
            writer.write(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n")
            while not connect.open:
                await asyncio.sleep(0.01)
            while connect.open:
                await asyncio.sleep(0.01)
            writer.transport.resume_reading()
            assert len(await end(reader)) < 1000 * 65536

    run(test)


@pytest.mark.parametrize("limit", ["total", "per_address"])
def test_half_open_connections_make_room_for_new_ones(limit):
    async def test():
        async with serving(**{limit: 5}) as connect:
            crowd = [await connect(b"GET / HTTP/1.1\r\n") for _ in range(12)]
            for _ in range(3):
                reader, _ = await connect(GET)
                assert (await answer(reader))[0] == 200
            for reader, _ in crowd[:6]:
                assert await end(reader) == b""

    run(test)


def test_when_all_are_at_work_one_more_is_told_when_to_come_again():
    async def test():
        async with serving(total=3, per_address=1) as connect:
            busy = [await connect(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n") for _ in range(3)]
            status = 200
            while status == 200:  # until the three have been read
                reader, _ = await connect(GET)
                status, headers = await answer(reader)
            assert (status, headers["retry-after"]) == (503, "1")
            busy[0][1].transport.abort()
            while status == 503:
                reader, _ = await connect(GET)
                status, _ = await answer(reader)
            assert status == 200

    run(test)


def test_an_address_is_that_of_a_network():
    assert security.network_of(("192.0.2.7", 1)) == "192.0.2.7"
    assert security.network_of(("::ffff:192.0.2.7", 1)) == "192.0.2.7"
    one, other = (security.network_of((f"2001:db8::{n}:1", 1)) for n in "12")
    assert one == other == "2001:db8::/64"
    assert security.network_of(("testclient", 1)) == "testclient"
    assert security.network_of(None) == ""


@pytest.mark.parametrize(
    ("soft", "hard", "room", "after"),
    [
        (1024, 4096, 3840, 4096),
        (1024, 1_000_000, 4096, 4352),
        (20_000, 20_000, 4096, 20_000),
        (100, 100, 50, 100),
        (-1, -1, 4096, -1),
    ],
)
def test_connections_leave_files_for_the_rest(monkeypatch, soft, hard, room, after):
    resource = pytest.importorskip("resource", reason="not on Windows")
    now = [soft, hard]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(now))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: now.__setitem__(slice(2), pair))
    assert room_for(4096) == room
    assert now == [after, hard]
