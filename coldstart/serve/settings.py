"""How the service runs: sizes, limits and who may come in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from coldstart.errors import ConfigError
from coldstart.schema import MAX_K

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class ServeSettings:
    """Limits of one process.

    Args:
        queue: requests that may wait for the recommender; more are refused with 503.
        batch: waiting requests that are taken together, at most.
        deadline: seconds after which a request that still waits is given up, with 504.
        in_flight: requests being handled at a time, of all keys together.
        max_body: bytes of one request's body.
        max_depth: how deep its JSON may be nested.
        max_k: items in one answer.
        max_items: items in one change of the catalog.
        open: nobody needs a key, and everybody may do everything; for this machine only.
        hosts: names under which the service answers; empty: any. In open mode these are the
            names of this machine, so that no web page can reach it by a name of its own.
        origins: web origins whose pages may call the service.
        drain: seconds between "not ready" and no longer accepting connections, on SIGTERM.

    Raises:
        ConfigError: a value is out of range.
    """

    queue: int = 256
    batch: int = 16
    deadline: float = 10.0
    in_flight: int = 2000
    max_body: int = 1 << 18
    max_depth: int = 16
    max_k: int = 100
    max_items: int = 500
    open: bool = False
    hosts: tuple[str, ...] = field(default=())
    origins: tuple[str, ...] = field(default=())
    drain: float = 1.0

    def __post_init__(self) -> None:
        for name in ("queue", "batch", "in_flight", "max_body", "max_depth", "max_items"):
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
    def names(self) -> tuple[str, ...]:
        """Host names that are answered to; empty: any."""
        return self.hosts or (LOOPBACK_HOSTS if self.open else ())


def refuse_open_to_all(host: str, *, open_mode: bool) -> None:
    """Refuse to listen on the network without keys.

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


def _at_least(name: str, value: float, least: float) -> None:
    if not least <= value < float("inf"):
        raise ConfigError(f"{name} is {value}", hint=f"give a number of at least {least:g}")
