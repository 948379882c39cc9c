"""Ray Serve replica: the ASGI application of the default artifact and of each multiplexed model.

This module does not import Ray; ``ray_app`` turns the replica into a deployment.
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
from coldstart.serve.admission import KeyGuesses
from coldstart.serve.app import create_app
from coldstart.serve.errors import ApiError, from_coldstart, internal, not_found, unauthorized
from coldstart.serve.fair_lock import FairLock
from coldstart.serve.item_paths import strip_raw_path
from coldstart.serve.ray_args import DEFAULT_MODEL, AppArgs
from coldstart.serve.service import Loader, Service
from coldstart.serve.store import Store

MODEL = "serve_multiplexed_model_id"
"""Header that names the model; ``-`` instead of ``_`` is accepted."""
_POLL_SECONDS = 0.02


class ModelService:
    """Service and ASGI application of one model, with its lifespan.

    Args:
        args: arguments of the application.
        load: loads a recommender from an artifact folder.
        lock: held while the recommender computes; shared by the models of a replica.
        guesses: limit of wrong API keys; shared likewise.
        name: name of the model, which determines its store.
        folder: artifact folder of the model.
    """

    def __init__(
        self,
        args: AppArgs,
        load: Loader,
        lock: FairLock,
        guesses: KeyGuesses,
        name: str,
        folder: str,
    ) -> None:
        store = Store.open(args.url_of(name))
        try:
            self.service = Service(
                load, {"": folder}, args.settings, store, lock=lock, guesses=guesses
            )
        except BaseException:
            store.close()
            raise
        self.app = create_app(self.service)
        self._lifespan = self.app.router.lifespan_context(self.app)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Enter the lifespan of the application."""
        self._loop = asyncio.get_running_loop()
        await self._lifespan.__aenter__()

    async def stop(self) -> None:
        """Finish requests in progress within the deadline, then close the store."""
        self._loop, self.service.draining = None, True
        until = asyncio.get_running_loop().time() + self.service.settings.deadline
        while self.service.metrics.in_flight_now and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_POLL_SECONDS)
        await self._lifespan.__aexit__(None, None, None)

    def __del__(self) -> None:
        """Stop the service; Ray calls this in a thread when the model is evicted."""
        loop = getattr(self, "_loop", None)
        if loop is None or not loop.is_running():
            return
        stopping = asyncio.run_coroutine_threadsafe(self.stop(), loop)
        if asyncio._get_running_loop() is not loop:
            stopping.result()


class Replica:
    """Ray Serve deployment class. The default recommender is loaded on construction.

    Args:
        args: validated arguments of the config file.
        nodes: returns the number of nodes of the cluster.

    Raises:
        ConfigError: replicas on several nodes cannot share the store.
        ColdstartError: the artifact cannot be loaded, or the store cannot be opened.
    """

    def __init__(self, args: AppArgs, nodes: Callable[[], int] = lambda: 1) -> None:
        logs.set_up()
        args.check_nodes(nodes())
        self._args = args
        self._guesses = KeyGuesses(args.settings.wrong_keys)
        self._build = partial(ModelService, args, args.load(), FairLock(), self._guesses)
        self._default = self._build(DEFAULT_MODEL, args.artifact) if args.artifact else None
        self._models: WeakValueDictionary[str, ModelService] = WeakValueDictionary()

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """ASGI application of the replica; called by Ray."""
        return ModelRouter(self)

    async def start(self) -> None:
        """Enter the lifespan of the application."""
        if self._default:
            await self._default.start()

    async def stop(self) -> None:
        """Exit the lifespan; Ray has already evicted the multiplexed models."""
        if self._default:
            await self._default.stop()

    async def check_health(self) -> None:
        """Health check of Ray: raise if only a restart of the replica helps.

        An unavailable store is reported by ``/readyz`` instead, since a restart would not help.
        """
        for running in (self._default, *self._models.values()):
            service = running and running.service
            if service and not (service.ready or service.draining):
                raise RuntimeError("a recommender's thread has ended")

    async def model(self, name: str) -> ModelService:
        """Load a model, open its store and start its service; Ray keeps an LRU cache of these."""
        folder = self._args.folder_of(name)
        if folder is None:
            raise not_found("model")
        try:
            running = await run_in_threadpool(self._build, name, folder)
        except ColdstartError as e:
            logs.failure("load", e, model=name)
            raise ApiError(
                500, "load_failed", "the model cannot be loaded", "the log says why"
            ) from None
        await running.start()
        self._models[name] = running
        logs.event("load", model=name)
        return running

    async def route(self, scope: Scope) -> ModelService:
        """Model service that handles a request.

        Raises:
            ApiError: no model or an unknown model is named (404); the model is not loaded and the
                API key is not valid for it (401); it cannot be loaded (500); the client is on
                another machine and authentication is disabled (403).
        """
        headers = Headers(scope=scope)
        if self._args.settings.open:
            _check_peer(scope)
        name = headers.get(MODEL) or headers.get(MODEL.replace("_", "-"))
        if not name:
            if self._default:
                return self._default
            raise not_found("model", f"name one in the header {MODEL}")
        if self._args.folder_of(name) is None:
            raise not_found("model", f"check the header {MODEL}")
        known = self._models.get(name)
        if (known is None or known.service.draining) and not self._args.settings.open:
            await self._check_key(name, scope)
        return await self.model(name)

    async def _check_key(self, name: str, scope: Scope) -> None:
        """Authenticate before loading a model, which may evict another one."""

        def is_known() -> bool:
            with Store.open(self._args.url_of(name)) as store:
                return store.check_key(secret) is not None

        secret = security.secret_of(Headers(scope=scope))
        if not secret:
            raise unauthorized()
        address = security.network_of(scope.get("client"))
        self._guesses.check(address, secret)
        valid = await run_in_threadpool(is_known)
        self._guesses.note(address, secret, valid=valid)
        if not valid:
            raise unauthorized()


class ModelRouter:
    """ASGI application that routes each request to the application of its model.

    Args:
        replica: replica that holds the models.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request, or the lifespan of the replica."""
        if scope["type"] == "lifespan":
            return await self._handle_lifespan(receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close"})
        scope = _without_prefix(scope)
        try:
            running = await self._replica.route(scope)
        except Exception as e:
            await _error_response(e)(scope, receive, send)
        else:
            await running.app(scope, receive, send)

    async def _handle_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._replica.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._replica.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _without_prefix(scope: Scope) -> Scope:
    """Scope without the route prefix, since the middleware matches on absolute paths."""
    prefix, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if prefix and path.startswith(prefix):
        path = path[len(prefix) :] or "/"
    return {**scope, "root_path": "", "path": path, "raw_path": strip_raw_path(scope, path)}


def _check_peer(scope: Scope) -> None:
    """Allow only loopback clients in open mode, whatever address the proxy listens on.

    Raises:
        ApiError: 403, the client is on another machine.
    """
    host = (scope.get("client") or ("",))[0]
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ApiError(
            403,
            "open",
            "without keys only this machine is answered",
            "leave settings.open out; coldstart serve keys add makes a key",
        )


def _error_response(e: Exception) -> Response:
    """Error response with a fixed message, in the format of the middleware."""
    if isinstance(e, ApiError):
        error = e
    elif isinstance(e, ColdstartError):
        error = from_coldstart(e)
    else:
        error = internal()
        logs.failure("error", e)
    logs.event("refused", status=error.status, refusal=error.error)
    response = error.response()
    response.raw_headers += security.HEADERS
    return response
