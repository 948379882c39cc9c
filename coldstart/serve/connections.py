"""HTTP connections with bounds: unfinished requests, clients that stall, too many connections.

A connection without a request in progress is *waiting*. When there is no room, the connection that
has waited longest makes room for the new one, so that half-open connections lock nobody out.
"""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from coldstart.serve import security
from coldstart.serve.errors import ApiError

MAX_HEADER_BYTES = 1 << 14
_RESERVED_FILES = 256  # of the process's file descriptors, for the store and models


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of the connections of one server.

    Args:
        total: maximum number of open connections.
        per_address: maximum number of waiting connections of one client address.
        header_seconds: for the headers of a request, from its first byte or the connection's start.
        idle_seconds: between two requests.
        linger_seconds: for the rest of a body that was answered without it.
        stall_seconds: without progress of a response that the client does not read.
    """

    total: int = 4096
    per_address: int = 512
    header_seconds: float = 10.0
    idle_seconds: float = 15.0
    linger_seconds: float = 5.0
    stall_seconds: float = 20.0


class ConnectionTable:
    """Open connections of one server.

    Args:
        limits: how many there may be, and for how long.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: dict[BoundedProtocol, str] = {}
        self._waiting: OrderedDict[BoundedProtocol, None] = OrderedDict()
        self._by_address: dict[str, OrderedDict[BoundedProtocol, None]] = defaultdict(OrderedDict)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: BoundedProtocol, address: str) -> bool:
        """Add a waiting connection; the oldest ones make room. False: all others are at work."""
        if len(self._open) >= self.limits.total and not self._drop_oldest(self._waiting):
            return False
        if len(self._by_address[address]) >= self.limits.per_address:
            self._drop_oldest(self._by_address[address])
        self._open[connection] = address
        self.wait(connection)
        return True

    def wait(self, connection: BoundedProtocol) -> None:
        """Mark a connection as waiting, from now on."""
        if connection in self._open:
            for group in (self._waiting, self._by_address[self._open[connection]]):
                group[connection] = None
                group.move_to_end(connection)

    def work(self, connection: BoundedProtocol) -> None:
        """Mark a connection as one with a request in progress."""
        self._waiting.pop(connection, None)
        address = self._open.get(connection)
        if address is not None and (group := self._by_address.get(address)) is not None:
            group.pop(connection, None)
            if not group:
                del self._by_address[address]

    def remove(self, connection: BoundedProtocol) -> None:
        """Forget a closed connection."""
        self.work(connection)
        self._open.pop(connection, None)

    def _drop_oldest(self, group: OrderedDict[BoundedProtocol, None]) -> bool:
        oldest = next(iter(group), None)
        if oldest is None:
            return False
        self.remove(oldest)
        oldest.transport.abort()
        return True


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 protocol of uvicorn whose every state has an end.

    Args:
        table: connections of the server.
        **given: arguments of ``H11Protocol``.
    """

    def __init__(self, table: ConnectionTable, **given: Any) -> None:
        super().__init__(**given)
        self._table, self._limits = table, table.limits
        self._phase = ""
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if there is room."""
        super().connection_made(transport)
        if self._table.add(self, security.network_of(self.client)):
            self._start("headers", self._limits.header_seconds)
        else:
            transport.write(_FULL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what came; after a refusal it is discarded."""
        if self._refused:
            return
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of a body that nobody reads."""
        super().on_response_complete()
        if not self._busy():
            self._start("idle", self._limits.idle_seconds + self._limits.header_seconds)
        self._follow()

    def pause_writing(self) -> None:
        """The client reads more slowly than the response is written."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self._limits.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads on."""
        super().resume_writing()
        self._cancel_stall()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._table.remove(self)
        self._stop()
        self._cancel_stall()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection, now or after the response in progress."""
        try:
            super().shutdown()
        except h11.LocalProtocolError:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the service's form, and discard the rest."""
        self._refused = True
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # whatever the application still sends is not written
            cycle.message_event.set()
            if cycle.response_started:
                return self.transport.close()
        self.transport.write(_raw(_MALFORMED if status != 431 else _LONG_HEADERS))
        self.transport.write_eof()
        self._start("linger", self._limits.linger_seconds)

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _follow(self) -> None:
        """Choose the time limit of the state that the connection is in."""
        if self._refused or self.transport.is_closing():
            if self._phase != "linger":
                self._start("linger", self._limits.linger_seconds)
        elif self._busy():
            self._stop()
            self._table.work(self)
        elif self.conn.their_state is h11.SEND_BODY:
            if self._phase != "linger":
                self._start("linger", self._limits.linger_seconds)
        elif self.conn.trailing_data[0] and self._phase != "headers":
            self._start("headers", self._limits.header_seconds)
        elif self._phase not in ("headers", "idle"):
            self._start("idle", self._limits.idle_seconds)

    def _start(self, phase: str, seconds: float) -> None:
        self._stop()
        self._phase = phase
        self._timer = self.loop.call_later(seconds, self._expire)
        self._table.wait(self)

    def _stop(self) -> None:
        self._phase = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _expire(self) -> None:
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


def room_for(connections: int) -> int:
    """Number of connections that the process can hold; its limit of open files is raised to it.

    Args:
        connections: number wanted.

    Returns:
        ``connections``, or what the hard limit of open files leaves.
    """
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _RESERVED_FILES
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < wanted:
        soft = wanted if hard == unlimited else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == unlimited:
        return connections
    return max(1, min(connections, soft - min(_RESERVED_FILES, soft // 2)))


def _raw(error: ApiError) -> bytes:
    """A whole HTTP response that closes the connection."""
    response = error.response()
    phrase = {400: "Bad Request", 431: "Request Header Fields Too Large"}
    head = [f"HTTP/1.1 {error.status} {phrase.get(error.status, 'Service Unavailable')}".encode()]
    fields = [*response.raw_headers, *security.HEADERS, (b"connection", b"close")]
    head += [name + b": " + value for name, value in fields]
    return b"\r\n".join([*head, b"", bytes(response.body)])


_MALFORMED = ApiError(400, "bad_request", "this is not an HTTP request", "speak HTTP/1.1")
_LONG_HEADERS = ApiError(
    431, "long_headers", f"the headers are longer than {MAX_HEADER_BYTES} bytes", "send fewer"
)
_FULL = _raw(
    ApiError(503, "overloaded", "too many connections at once", "try again later", retry_after=1)
)
