"""One replica on Ray Serve: the application of ``coldstart serve``, and one for each model.

Nothing here needs Ray; ``ray_app`` makes a deployment of it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from functools import partial
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from coldstart.errors import ColdstartError
from coldstart.serve import logs, security
from coldstart.serve.app import create_app
from coldstart.serve.errors import Refusal, from_coldstart, internal, not_found
from coldstart.serve.ray_args import OWN, Args
from coldstart.serve.service import Loader, Service
from coldstart.serve.store import Store
from coldstart.serve.tenants_turns import Turns

MODEL = "serve_multiplexed_model_id"
"""The header that names a model; ``-`` for ``_`` will do."""
_MOMENT = 0.02


class Running:
    """A service and its application, from the beginning of its lifespan to the end.

    Args:
        args: limits and stores.
        load: makes a recommender of a folder.
        turn: held while the recommender is at work; models of one replica share it.
        name: of the model; its store is opened.
        folder: its artifact.
    """

    def __init__(self, args: Args, load: Loader, turn: Turns, name: str, folder: str) -> None:
        store = Store.open(args.url_of(name))
        try:
            self.service = Service(load, {"": folder}, args.settings, store, turn=turn)
        except BaseException:
            store.close()
            raise
        self.app = create_app(self.service)
        self._lifespan = self.app.router.lifespan_context(self.app)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        await self._lifespan.__aenter__()

    async def stop(self) -> None:
        """Take nothing new, finish what has begun within the deadline, close the store."""
        self._loop, self.service.draining = None, True
        until = asyncio.get_running_loop().time() + self.service.settings.deadline
        while self.service.metrics.in_flight_now and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_MOMENT)
        await self._lifespan.__aexit__(None, None, None)

    def __del__(self) -> None:
        """Stop; Ray calls this in a thread when another model takes the place of this one."""
        loop = getattr(self, "_loop", None)
        if loop is None or not loop.is_running():
            return
        stopping = asyncio.run_coroutine_threadsafe(self.stop(), loop)
        if asyncio._get_running_loop() is not loop:
            stopping.result()


class Replica:
    """What Ray Serve makes copies of. The recommender is loaded when a copy is made.

    Args:
        args: of the config file, checked.
        nodes: counts the machines of the cluster.

    Raises:
        ConfigError: the replicas of several machines would not share a store.
        ColdstartError: the artifact cannot be loaded, or the store not opened.
    """

    def __init__(self, args: Args, nodes: Callable[[], int] = lambda: 1) -> None:
        logs.set_up()
        args.check_nodes(nodes())
        self._args = args
        self._make = partial(Running, args, args.load(), Turns())
        self._own = self._make(OWN, args.artifact) if args.artifact else None
        self._known: WeakValueDictionary[str, Running] = WeakValueDictionary()

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """What answers requests; Ray asks for it when the replica is made."""
        return Door(self)

    async def start(self) -> None:
        """Begin to answer."""
        if self._own:
            await self._own.start()

    async def stop(self) -> None:
        """Finish what has begun; Ray has unloaded the models by then."""
        if self._own:
            await self._own.stop()

    async def check_health(self) -> None:
        """Raise if only a new replica would answer again; Ray asks now and then.

        A store that is away is none of that: ``/readyz`` tells it, and no restart would help.
        """
        for running in (self._own, *self._known.values()):
            service = running and running.service
            if service and not (service.ready or service.draining):
                raise RuntimeError("a recommender's thread has ended")

    async def model(self, name: str) -> Running:
        """Load a model and its store, and begin to answer for it. Ray keeps the last few."""
        folder = self._args.folder_of(name)
        if folder is None:
            raise not_found("model")
        try:
            running = await run_in_threadpool(self._make, name, folder)
        except ColdstartError as e:
            logs.failure("load", e, model=name)
            raise Refusal(
                500, "load_failed", "the model cannot be loaded", "the log says why"
            ) from None
        await running.start()
        self._known[name] = running
        logs.event("load", model=name)
        return running

    async def find(self, scope: Scope) -> Running:
        """Who answers a request.

        Raises:
            Refusal: it names no model, or one that there is not (404); the model would have to be
                loaded, and the key is none of its keys (401); it cannot be loaded (500); it comes
                from another machine, and nobody needs a key (403).
        """
        headers = Headers(scope=scope)
        if self._args.settings.open:
            _check_peer(scope)
        name = headers.get(MODEL) or headers.get(MODEL.replace("_", "-"))
        if not name:
            if self._own:
                return self._own
            raise not_found("model", f"name one in the header {MODEL}")
        if self._args.folder_of(name) is None:
            raise not_found("model", f"check the header {MODEL}")
        known = self._known.get(name)
        if (known is None or known.service.draining) and not self._args.settings.open:
            await self._check_key(name, headers)
        return await self.model(name)

    async def _check_key(self, name: str, headers: Headers) -> None:
        """Refuse strangers before they can have models loaded, and others unloaded."""

        def is_known() -> bool:
            with Store.open(self._args.url_of(name)) as store:
                return store.check_key(secret) is not None

        secret = security.secret_of(headers)
        if not secret or not await run_in_threadpool(is_known):
            raise Refusal(
                401,
                "unauthorized",
                "a valid key of this model is needed",
                "send Authorization: Bearer KEY; coldstart serve keys add makes one",
            )


class Door:
    """ASGI application in front of a replica's: finds who answers.

    Args:
        replica: whose applications.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the replica's life."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close"})
        scope = _from_root(scope)
        try:
            running = await self._replica.find(scope)
        except Exception as e:
            await _refuse(e)(scope, receive, send)
        else:
            await running.app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._replica.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._replica.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _from_root(scope: Scope) -> Scope:
    """The scope as if the application had no prefix: the gate goes by paths."""
    prefix, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if prefix and path.startswith(prefix):
        path = path[len(prefix) :] or "/"
    return {**scope, "root_path": "", "path": path}


def _check_peer(scope: Scope) -> None:
    """Refuse other machines where nobody needs a key, whatever address the proxy listens on.

    Raises:
        Refusal: 403.
    """
    host = (scope.get("client") or ("",))[0]
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Refusal(
            403,
            "open",
            "without keys only this machine is answered",
            "leave settings.open out; coldstart serve keys add makes a key",
        )


def _refuse(e: Exception) -> Response:
    """Fixed words for what went wrong, as the gate has them."""
    if isinstance(e, Refusal):
        refusal = e
    elif isinstance(e, ColdstartError):
        refusal = from_coldstart(e)
    else:
        refusal = internal()
        logs.failure("error", e)
    logs.event("refused", status=refusal.status, refusal=refusal.error)
    response = refusal.response()
    response.raw_headers += security.HEADERS
    return response
