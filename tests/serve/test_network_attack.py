"""The attacks over the network count what happened; a few lines stand for the service."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE, until

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from attacks import network  # noqa: E402

HEAD = b"HTTP/1.1 %s\r\ncontent-length: 0\r\n%s\r\n"


@pytest.mark.parametrize(
    ("answer", "name", "wrong"),
    [
        (HEAD % (b"200 OK", b""), "200", 0),
        (HEAD % (b"422 X", b""), "422", 0),
        (HEAD % (b"503 X", b"retry-after: 1\r\n"), "503", 0),
        (HEAD % (b"503 X", b""), "503", 1),
        (HEAD % (b"504 X", b"Retry-After: 1\r\n"), "504", 1),
        (HEAD % (b"500 X", b""), "500", 1),
        (b"", "closed", 0),
        (None, "no end", 1),
        (b"HTTP/1.1 100 \r\n\r\n" + HEAD % (b"200 OK", b""), "200", 0),
    ],
)
def test_an_answer_is_wrong_or_not(answer, name, wrong):
    found = network.Found("x")
    found.note(answer)
    assert (found.answers, found.wrong, found.leaks) == ({name: 1}, wrong, 0)


def test_what_is_repeated_leaks_unless_it_was_asked_for():
    found = network.Found("x")
    found.note(HEAD % (b"422 X", b"") + network.MARK.encode())
    found.note(HEAD % (b"200 OK", b"") + network.MARK.encode())
    assert found.leaks == 1


def test_hostile_requests_differ_and_come_again_by_seed():
    made = [network.hostile(random.Random(n), "key") for n in range(300)]
    assert made == [network.hostile(random.Random(n), "key") for n in range(300)]
    assert len(set(made)) > 290
    marked = sum(network.MARK.encode() in one.lower() for one in made)
    assert marked > 150


def target(port, log):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    return network.Target(port, "key", "greedy", process, log)


def test_seconds_without_an_answer_and_lines_of_the_log_are_counted(tmp_path, monkeypatch):
    log = tmp_path / "log"
    log.write_bytes(b"before " + network.MARK.encode())
    answers = iter([b"200 OK", b"503 X"])

    async def test():
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD % (next(answers, b"200 OK"), b""))
            await writer.drain()
            writer.close()

        async def attack(aimed, found):
            found.tried += 7
            while found.probes < 3:
                await asyncio.sleep(0.01)
            with log.open("ab") as out:
                out.write(b"x" + network.MARK.upper().encode())

        monkeypatch.setitem(network.ATTACKS, "one", attack)
        monkeypatch.setattr(network, "PROBE_EVERY", 0.01)
        monkeypatch.setattr(network, "AFTER", 0.0)
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        aimed = target(server.sockets[0].getsockname()[1], log)
        try:
            return await asyncio.wait_for(network.attacked(aimed, "one"), PATIENCE)
        finally:
            server.close()
            aimed.process.communicate()

    found = asyncio.run(test())
    assert (found.tried, found.wrong, found.leaks) == (7, 0, 1)
    assert found.probes >= 3
    assert 0 < found.unreachable < PATIENCE


def test_a_service_that_ends_is_wrong(tmp_path, monkeypatch):
    (tmp_path / "log").touch()

    async def attack(aimed, found):
        aimed.process.communicate(b"\n")
        until(lambda: aimed.process.poll() is not None, "its end")

    monkeypatch.setitem(network.ATTACKS, "one", attack)
    monkeypatch.setattr(network, "AFTER", 0.0)
    found = asyncio.run(network.attacked(target(9, tmp_path / "log"), "one"))
    assert found.wrong == 1
