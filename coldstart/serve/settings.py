"""Service settings: queue and batch sizes, request limits and access control."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from coldstart.errors import ConfigError
from coldstart.schema import MAX_K

_COUNTS = (
    "queue",
    "batch",
    "in_flight",
    "connections",
    "address_connections",
    "wrong_keys",
    "max_body",
    "max_depth",
    "max_items",
)
_HINTS = {  # by the error of listening
    errno.EADDRINUSE: "stop what listens there, or give another --port",
    errno.EACCES: "give a --port above 1023",
}
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class ServeSettings:
    """Limits and access control of one process.

    Args:
        queue: capacity of the request queue; requests beyond it are rejected with 503.
        batch: maximum number of queued requests answered together.
        deadline: seconds after which a request gets 504, or 503 if its work has not begun.
        in_flight: maximum number of concurrent requests, over all keys; of one key as many as are
            still free.
        connections: maximum number of open connections.
        address_connections: maximum number of connections of one address that send no request.
        wrong_keys: maximum number of wrong API keys per minute from one address.
        max_body: maximum size of a request body, in bytes.
        max_depth: maximum nesting depth of its JSON.
        max_k: maximum number of items per list.
        max_items: maximum number of items per catalog update.
        open: disable authentication: every request has admin rights; for loopback interfaces only.
        hosts: allowed values of the Host header; empty: any. In open mode the default is the
            loopback names, which prevents DNS rebinding by web pages.
        origins: allowed CORS origins.
        drain: seconds between reporting "not ready" and closing the listener, on SIGTERM.
        images: folder of the pictures that items name as files; empty: none.
        remote_images: whether the page may load pictures from the hosts that items name.

    Raises:
        ConfigError: a value is out of range.
    """

    queue: int = 256
    batch: int = 16
    deadline: float = 10.0
    in_flight: int = 2000
    connections: int = 4096
    address_connections: int = 512
    wrong_keys: int = 60
    max_body: int = 1 << 18
    max_depth: int = 16
    max_k: int = 100
    max_items: int = 500
    open: bool = False
    hosts: tuple[str, ...] = field(default=())
    origins: tuple[str, ...] = field(default=())
    drain: float = 1.0
    images: str = ""
    remote_images: bool = True

    def __post_init__(self) -> None:
        for name in _COUNTS:
            _at_least(name, getattr(self, name), 1)
        _at_least("deadline", self.deadline, 0.001)
        _at_least("drain", self.drain, 0)
        if not 1 <= self.max_k <= MAX_K:
            raise ConfigError(f"max_k is {self.max_k}", hint=f"1 to {MAX_K}")
        if "*" in self.origins:
            raise ConfigError(
                "origins are '*': any web page could call the service", hint="name each origin"
            )

    @property
    def images_folder(self) -> Path | None:
        """Folder of pictures, if there is one."""
        return Path(self.images) if self.images else None

    @property
    def names(self) -> tuple[str, ...]:
        """Allowed host names; empty: any."""
        return self.hosts or (LOOPBACK_HOSTS if self.open else ())


def refuse_open_to_all(host: str, *, open_mode: bool) -> None:
    """Reject open mode on a network interface.

    Raises:
        ConfigError: ``open_mode`` with a host that other machines can reach.
    """
    if not open_mode or host == "localhost":
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ConfigError(
            f"--open on {host}: anybody who reaches it could read and change everything",
            hint="use --host 127.0.0.1, or make a key: coldstart serve keys add NAME",
        )


def refuse_used_port(host: str, port: int) -> None:
    """Reject an address that cannot be listened on, before anything is loaded.

    Args:
        host: name or address.
        port: number; 0 is any free one.

    Raises:
        ConfigError: another process listens there, the port is for administrators only, or the
            address is not this machine's.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            if os.name == "posix":  # as the server does; a connection that ended blocks nothing
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError, OverflowError) as e:
        why, hint = str(e), "give --host an address of this machine, such as 127.0.0.1"
        if isinstance(e, OSError):
            why, hint = e.strerror or why, _HINTS.get(e.errno or 0, hint)
        elif isinstance(e, OverflowError):
            hint = "give a --port from 0 to 65535"
        raise ConfigError(f"cannot listen on {host}, port {port}: {why}", hint=hint) from None


def _at_least(name: str, value: float, least: float) -> None:
    if not least <= value < float("inf"):
        raise ConfigError(f"{name} is {value}", hint=f"give a number of at least {least:g}")
