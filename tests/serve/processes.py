"""A service in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.waiting import PATIENCE, no_error, until


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(artifact, db, log, *options):
    """A real service; returns the process and a client of it, once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "coldstart", "serve", "--artifact", str(artifact)]
    command += ["--port", str(port), "--db", str(db), "--deadline", str(PATIENCE), *options]
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stderr=out, stdout=out)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)
    listens = no_error(lambda: client.get("/readyz"), httpx.TransportError)
    until(lambda: process.poll() is not None or listens(), "the service to listen")
    assert process.poll() is None, Path(log).read_text()
    until(lambda: client.get("/readyz").status_code == 200, "the service to be ready")
    return process, client


def listening(port):
    """Whether new connections are accepted."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
