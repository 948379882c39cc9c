"""Server process: uvicorn with signal handling and graceful shutdown."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from coldstart.serve import logs
from coldstart.serve.app import create_app
from coldstart.serve.connections import (
    MAX_HEADER_BYTES,
    BoundedProtocol,
    ConnectionLimits,
    ConnectionTable,
    room_for,
)
from coldstart.serve.service import Service
from coldstart.serve.tenants import TenantServices
from coldstart.serve.tenants_app import create_tenants_app


class Server(uvicorn.Server):
    """Uvicorn server that reports "not ready" for a while before it stops accepting.

    Args:
        config: configuration of uvicorn.
        service: service whose readiness changes at shutdown.
    """

    def __init__(self, config: uvicorn.Config, service: Service | TenantServices) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain, then stop. Second: stop now. Third: force exit."""
        if self._service.draining:
            self.force_exit = self.should_exit
            self.should_exit = True
            return
        self._service.draining = True
        seconds = self._service.settings.drain
        logs.event("draining", seconds=seconds)
        later = threading.Timer(seconds, setattr, (self, "should_exit", True))
        later.daemon = True
        later.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and install the SIGHUP handler that reloads artifacts."""
        await super().startup(sockets)
        hangup = getattr(signal, "SIGHUP", None)  # not on Windows
        if hangup is not None:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(hangup, self._reload)

    def _reload(self) -> None:
        self._reloading = asyncio.ensure_future(self._service.reload())
        self._reloading.add_done_callback(
            lambda task: task.cancelled() or task.exception()
        )  # logged by the service


def run(service: Service, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; requests in progress are completed within the deadline."""
    _serve(create_app(service), service, service.settings.deadline, host, port)


def run_tenants(services: TenantServices, host: str, port: int) -> None:
    """Serve several tenants; see ``run``."""
    default = services.settings
    deadline = max(t.settings(default).deadline for t in services.tenants.values())
    _serve(create_tenants_app(services), services, deadline, host, port)


def _serve(
    app: FastAPI, service: Service | TenantServices, deadline: float, host: str, port: int
) -> None:
    logs.set_up()
    config = server_config(
        app,
        ConnectionLimits(service.settings.connections, service.settings.address_connections),
        host=host,
        port=port,
        timeout_graceful_shutdown=int(deadline) + 2,
    )
    Server(config, service).run()


def server_config(app: ASGIApp, limits: ConnectionLimits, **more: Any) -> uvicorn.Config:
    """Configuration of uvicorn with bounded connections.

    The protocol is that of h11, in Python: httptools, the faster one, has no limit on headers.

    Args:
        app: the application.
        limits: of the connections; fewer if the process may not open as many files.
        **more: arguments of ``uvicorn.Config``.
    """
    table = ConnectionTable(replace(limits, total=room_for(limits.total)))
    return uvicorn.Config(
        app,
        http=cast(Any, partial(BoundedProtocol, table)),
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        ws="none",
        backlog=limits.total,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=int(limits.idle_seconds),
        **more,
    )
