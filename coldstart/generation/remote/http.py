"""JSON over HTTP with bounded retries and errors that never contain credentials."""

from __future__ import annotations

import email.utils
import json
import math
import time
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from coldstart.errors import ConfigError, GeneratorError, MissingExtraError

if TYPE_CHECKING:
    import ssl

    import httpx

KEY = "COLDSTART_GENERATOR_KEY"
"""Environment variable of the API key on the command line."""

_BUSY = frozenset({429, 502, 503, 504})
_FIRST_WAIT = 0.25  # seconds before the first retry; doubled each time
_LONGEST_WAIT = 5.0  # seconds; a longer Retry-After is an error at once
_MOST_SHOWN = 300  # characters of a server's message


class HttpReply(NamedTuple):
    """Response of a server: status, and JSON or text."""

    status: int
    data: Any


class JsonClient:
    """HTTP client of one server; thread-safe.

    Proxies, certificates and passwords of the environment are not used.

    Args:
        url: of the server, with or without ``/v1``; user and password in it are sent as basic
            authentication, and never shown.
        api_key: sent as bearer token, never shown.
        timeout: seconds until a response begins, and between its parts.
        retries: retries of a request while the server is busy or unreachable.
        verify: certificates to trust, as for ``httpx``.

    Raises:
        ConfigError: the URL is malformed, or a setting is out of range.
        MissingExtraError: ``httpx`` is not installed.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        parts = _checked_url(url)
        host = parts.hostname if ":" not in (parts.hostname or "") else f"[{parts.hostname}]"
        port = "" if parts.port is None else f":{parts.port}"
        self.url = f"{parts.scheme}://{host}{port}{parts.path.rstrip('/').removesuffix('/v1')}"
        """URL of the server without ``/v1`` and credentials."""
        if not 0 < timeout < math.inf:
            raise ConfigError(f"timeout is {timeout!r}", hint="give seconds, above 0")
        if retries < 0:
            raise ConfigError(f"retries is {retries!r}", hint="give 0 or more")
        if api_key is not None and not (api_key.isascii() and api_key.isprintable() and api_key):
            raise ConfigError("the key is empty or has characters that no header can hold")
        if api_key and parts.username:
            raise ConfigError("both a key and a password in the URL", hint="give one of them")
        self._secrets = [s for s in (api_key, unquote(parts.password or "")) if s]
        self._timeout, self._retries = timeout, retries
        self._client = _httpx().Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            auth=(unquote(parts.username), unquote(parts.password or ""))
            if parts.username
            else None,
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            verify=verify,
            limits=_httpx().Limits(max_connections=None),
        )
        weakref.finalize(self, self._client.close)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def get(self, path: str) -> HttpReply:
        """Send a GET request; see ``post``."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> HttpReply:
        """Send a POST request with JSON.

        Returns:
            The response, whatever its status, except those that raise.

        Raises:
            GeneratorError: unreachable, timed out, busy, failed (5xx), redirected, or unauthorized.
        """
        return self._ask("POST", path, json.dumps(body, ensure_ascii=False).encode())

    def shown(self, reply: HttpReply) -> str:
        """Error message of the server in one line, without credentials."""
        data = reply.data
        if isinstance(data, dict):
            error = data.get("error", data.get("detail", data.get("message")))
            data = error.get("message") if isinstance(error, dict) else error
        text = " ".join(str(data or "no reason given").split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:_MOST_SHOWN]

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _ask(self, method: str, path: str, body: bytes | None) -> HttpReply:
        wait = _FIRST_WAIT
        for attempt in range(self._retries + 1):
            try:
                return self._once(method, path, body)
            except GeneratorError as e:
                if e.retry_after is None or attempt == self._retries:
                    raise
                if e.retry_after > _LONGEST_WAIT:
                    raise
                time.sleep(max(wait, e.retry_after))
                wait = min(2 * wait, _LONGEST_WAIT)
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: bytes | None) -> HttpReply:
        """Send one request; a ``GeneratorError`` with ``retry_after`` can be retried."""
        http = _httpx()
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._client.request(method, path, content=body, headers=headers)
        except http.ConnectTimeout as e:
            raise self._away("no connection within the time limit") from e
        except http.TimeoutException:
            raise GeneratorError(
                f"the text generator at {self.url} did not answer within {self._timeout:g} s",
                hint="it may be too busy: more servers, fewer titles, or a longer timeout",
            ) from None
        except http.HTTPError as e:
            raise self._away(str(e) or type(e).__name__) from None
        reply = HttpReply(response.status_code, _content(response))
        if reply.status in _BUSY:
            raise GeneratorError(
                f"the text generator at {self.url} is busy: {reply.status} {self.shown(reply)}",
                hint="try again later",
                retry_after=_retry_after(response.headers.get("Retry-After")),
            )
        if reply.status in (401, 403):
            raise GeneratorError(
                f"the text generator at {self.url} refuses "
                + ("the key it was given" if self._secrets else "to answer without a key"),
                hint=f"api_key=…, or {KEY} in the environment",
            )
        if reply.status >= 500 or 300 <= reply.status < 400:
            raise GeneratorError(
                f"the text generator at {self.url} answered {reply.status} to {method} {path}: "
                f"{self.shown(reply)}",
                hint="its log says why"
                if reply.status >= 500
                else "it points somewhere else: give that URL",
            )
        return reply

    def _away(self, reason: str) -> GeneratorError:
        return GeneratorError(
            f"no text generator answers at {self.url}: {reason}",
            hint="start it (vllm serve …), or correct the URL",
            retry_after=0.0,
        )


def masked(url: str) -> str:
    """URL, malformed or not, without user and password."""
    scheme, separator, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    hidden = "***@" + host.rpartition("@")[2] if "@" in host else host
    if "@" in path:  # a password with a slash in it
        hidden, slash, path = "***", "", ""
    return f"{scheme}{separator}{hidden}{slash}{path}"


def _checked_url(url: str) -> SplitResult:
    hint = "give the server's: http://localhost:8000"
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ConfigError(f"generator URL {masked(url)!r}", hint) from None
    good = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not good or parts.query or parts.fragment or any(c.isspace() for c in url.strip()):
        raise ConfigError(f"generator URL {masked(url)!r}", hint)
    return parts


def _content(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return response.text


def _retry_after(text: str | None) -> float:
    """Seconds of a Retry-After header; 0 if missing or malformed."""
    if not text:
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        seconds = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise MissingExtraError(
            "a text generator on a server needs httpx", hint="pip install 'coldstart-rec[vllm]'"
        ) from None
    return httpx
