"""User profiles and contexts from options, a file, or both."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

from coldstart.cli import output
from coldstart.errors import ConfigError, ProfileError
from coldstart.schema import Context, UserProfile

_WHO, _TASTE, _MOMENT = "User", "Preferences", "Context"
_PLAIN = ("age", "gender", "occupation", "location", "language", "about")
_LISTS = {"interests": "interest", "liked": "liked", "disliked": "disliked", "seen": "seen"}
_CONTEXT = {"device": "using"} | {n: n for n in ("time", "place", "occasion", "text", "viewing")}

Text = str | None
Texts = list[str] | None


def _who(help: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=_WHO)


def _taste(help: str, metavar: str = "TEXT") -> Any:
    return typer.Option(help=help, metavar=metavar, rich_help_panel=_TASTE)


def _moment(help: str) -> Any:
    return typer.Option(help=help, rich_help_panel=_MOMENT)


@dataclass(frozen=True)
class ProfileOptions:
    """Options of the user profile and the request context; all are optional."""

    profile: Annotated[
        Text,
        _who(
            "JSON with the fields below (or {'profile': …, 'context': …}); an array or JSON "
            "lines for several users; - reads standard input. Flags add to it.",
            "--profile",
            "-p",
            metavar="FILE|-",
        ),
    ] = None
    age: Annotated[int | None, _who("In years.")] = None
    gender: Annotated[Text, _who("As the training data writes it, such as M or F.")] = None
    occupation: Annotated[Text, _who("Such as technician.")] = None
    location: Annotated[Text, _who("City, region or country.")] = None
    language: Annotated[Text, _who("Such as en.")] = None
    sentences: Annotated[
        Text,
        _who(
            "Text file with one user per line, each known by that sentence alone; - reads standard "
            "input. Flags add to each.",
            metavar="FILE|-",
        ),
    ] = None
    attribute: Annotated[
        Texts, _who("Anything else that is known. [dim]Repeatable.[/dim]", metavar="NAME=VALUE")
    ] = None
    interest: Annotated[Texts, _taste("Such as Sci-Fi. [dim]Repeatable.[/dim]")] = None
    about: Annotated[Text, _taste("What they say about themselves, in free text.")] = None
    liked: Annotated[
        Texts, _taste("Something they liked, oldest first. [dim]Repeatable.[/dim]", "TITLE|ID")
    ] = None
    history: Annotated[
        bool,
        typer.Option(
            "--history",
            help="The liked items are all that a new account has liked so far, not favourites.",
            rich_help_panel=_TASTE,
        ),
    ] = False
    disliked: Annotated[
        Texts, _taste("Something they did not like. [dim]Repeatable.[/dim]", "TITLE|ID")
    ] = None
    seen: Annotated[
        Texts, _taste("Something not to show again. [dim]Repeatable.[/dim]", "TITLE|ID")
    ] = None
    ignore_unknown: Annotated[
        bool,
        typer.Option(
            "--ignore-unknown",
            help="Go on without titles and ids that the catalog lacks.",
            rich_help_panel=_TASTE,
        ),
    ] = False
    time: Annotated[Text, _moment("Such as 'Friday evening'.")] = None
    using: Annotated[Text, _moment("Device in use, such as phone or TV.")] = None
    place: Annotated[Text, _moment("Such as 'on the train'.")] = None
    occasion: Annotated[Text, _moment("Such as 'date night'.")] = None
    text: Annotated[Text, _moment("What they ask for right now.")] = None
    viewing: Annotated[Text, _moment("Title or id of what they are looking at.")] = None

    @property
    def unknown_picks(self) -> Literal["error", "ignore"]:
        """Treatment of picks missing from the catalog."""
        return "ignore" if self.ignore_unknown else "error"


class UserRequest(NamedTuple):
    """Profile and context of one request."""

    profile: UserProfile
    context: Context


class UserRequests(NamedTuple):
    """Requests of one command; ``is_list`` makes the output a list even for a single request."""

    requests: list[UserRequest]
    is_list: bool

    def name(self, place: int) -> str | None:
        """Display name of a user in a list: the id, else the sentence, else a number."""
        if not self.is_list:
            return None
        profile = self.requests[place].profile
        sentence = f"“{profile.about}”" if profile.about else None
        return profile.user_id or sentence or f"user {place + 1}"


def read_requests(flags: ProfileOptions) -> UserRequests:
    """Merge file and options: an option replaces a field of the file, or extends a list.

    Raises:
        ProfileError: the file is missing, empty, not JSON, or contains anything but profiles.
        ConfigError: an ``--attribute`` without "=", or sentences beside another text or file.
    """
    if flags.sentences is not None:
        return _spoken(flags.sentences, flags)
    if flags.profile is None:
        return UserRequests([_request({}, flags)], is_list=False)
    where = "standard input" if flags.profile == "-" else flags.profile
    documents = list(_documents(_read(flags.profile, where), where))
    is_list = len(documents) > 1 or Path(where).suffix.lower() in {".jsonl", ".ndjson"}
    if len(documents) == 1 and isinstance(documents[0], list):
        documents, is_list = documents[0], True
    if not documents:
        raise ProfileError(f"{where}: no profile in it", hint="{} is the profile of a stranger")
    requests = []
    for number, document in enumerate(documents, start=1):
        place = f"{where}, user {number}" if is_list else where
        if not isinstance(document, dict):
            kind = type(document).__name__
            raise ProfileError(f"{place}: expected a JSON object, got {kind}", hint='{"age": 24}')
        try:
            requests.append(_request(document, flags))
        except ProfileError as e:
            raise ProfileError(f"{place}: {e.message}", e.hint) from None
    return UserRequests(requests, is_list)


def _spoken(source: str, flags: ProfileOptions) -> UserRequests:
    """A request for each line with anything in it."""
    for name in ("profile", "about"):
        if getattr(flags, name) is not None:
            raise ConfigError(f"--sentences beside --{name}", hint="give one of the two")
    where = "standard input" if source == "-" else source
    lines = [line.strip() for line in _read(source, where).splitlines()]
    requests = [_request({"about": line}, flags) for line in lines if line]
    if not requests:
        raise ProfileError(f"{where}: no sentence in it", hint="write one sentence per line")
    return UserRequests(requests, is_list=True)


def _read(source: str, where: str) -> str:
    try:
        if source != "-":
            return Path(source).read_bytes().decode("utf-8-sig")
        if sys.stdin.isatty():
            output.note("reading from the keyboard; end with Ctrl-D")
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except OSError as e:
        raise ProfileError(f"{where}: {e.strerror or e}", hint="check the path") from None
    except UnicodeDecodeError as e:
        raise ProfileError(f"{where}: not UTF-8 at byte {e.start}", hint="save as UTF-8") from None


def _documents(text: str, where: str) -> Iterator[Any]:
    """Parse all JSON documents in ``text``: a single one, or a sequence (JSON lines)."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as e:
            place = f"line {e.lineno}, column {e.colno}"
            raise ProfileError(
                f"{where}: not JSON at {place}: {e.msg}", hint='such as {"age": 24}'
            ) from None
        except RecursionError:
            raise ProfileError(f"{where}: nested too deeply", hint='such as {"age": 24}') from None
        yield document


def _request(document: dict[str, Any], flags: ProfileOptions) -> UserRequest:
    nested = bool(document) and document.keys() <= {"profile", "context"}
    profile = document.get("profile", {}) if nested else document
    context = document.get("context", {}) if nested else {}
    if isinstance(profile, dict):
        profile = _with_flags(profile, flags)
    if isinstance(context, dict):
        given = {field: getattr(flags, flag) for field, flag in _CONTEXT.items()}
        context = context | {field: v for field, v in given.items() if v is not None}
    return UserRequest(UserProfile.parse(profile), Context.parse(context))


def _with_flags(profile: dict[str, Any], flags: ProfileOptions) -> dict[str, Any]:
    given = {name: getattr(flags, name) for name in _PLAIN}
    made = profile | {name: v for name, v in given.items() if v is not None}
    if flags.history:
        made["history"] = True
    for field, flag in _LISTS.items():
        if more := getattr(flags, flag):
            there = made.get(field) or []
            made[field] = [*(there if isinstance(there, list) else [there]), *more]
    pairs = dict(_pair(text) for text in flags.attribute or ())
    if pairs and isinstance(there := made.get("attributes") or {}, dict):
        made["attributes"] = there | pairs
    return made


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name.strip() and equals):
        raise ConfigError(f"--attribute is {text!r}", hint="write NAME=VALUE, such as diet=vegan")
    return name.strip(), value
