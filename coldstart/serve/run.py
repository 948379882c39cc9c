"""The server process: signals, readiness first, bounded goodbye."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

from coldstart.serve import logs
from coldstart.serve.app import create_app
from coldstart.serve.service import Service
from coldstart.serve.tenants import TenantServices, create_tenants_app


class Server(uvicorn.Server):
    """Uvicorn that is unready for a while before it stops accepting.

    Args:
        config: of uvicorn.
        service: told to be unready.
    """

    def __init__(self, config: uvicorn.Config, service: Service | TenantServices) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: unready, then stop. Second: stop now. Third: wait for nobody."""
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
        """Listen, and reload on SIGHUP."""
        await super().startup(sockets)
        hangup = getattr(signal, "SIGHUP", None)  # not on Windows
        if hangup is not None:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(hangup, self._reload)

    def _reload(self) -> None:
        self._reloading = asyncio.ensure_future(self._service.reload())
        self._reloading.add_done_callback(
            lambda task: task.cancelled() or task.exception()
        )  # logged where it arose


def run(service: Service, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; what is being answered then is answered, within limits."""
    _serve(create_app(service), service, service.settings.deadline, host, port)


def run_tenants(services: TenantServices, host: str, port: int) -> None:
    """``run`` for the services of several tenants."""
    default = services.settings
    longest = max(t.settings(default).deadline for t in services.tenants.values())
    _serve(create_tenants_app(services), services, longest, host, port)


def _serve(
    app: FastAPI, service: Service | TenantServices, deadline: float, host: str, port: int
) -> None:
    logs.set_up()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=int(deadline) + 2,
    )
    Server(config, service).run()
