"""ReDial in its published format: dialogues in which one person recommends films to another.

Li et al., "Towards deep conversational recommendations", NeurIPS 2018; CC BY 4.0, from
redialdata.github.io: ``train_data.jsonl``, ``test_data.jsonl``, ``movies_with_mentions.csv``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.titles import clean_text, split_year
from coldstart.data.requests.folder import refuse_unknown_items
from coldstart.data.requests.lines import json_lines
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import DataError
from coldstart.schema import Item

TRAIN, TEST, MOVIES = "train_data.jsonl", "test_data.jsonl", "movies_with_mentions.csv"
VALID_DIALOGUES = 901
"""Customary number of validation dialogues: the last of the training file."""

_MENTION = re.compile(r"@(\d+)")
_LIKED = {0: False, 1: True}

Dialogue = Mapping[str, Any]


def load_redial(folder: Path, *, valid: int | None = None) -> RequestLog:
    """Read the published files as requests.

    Every message of the recommender that names films is one request: its text is all that the
    seeker had written before, with titles in place of ids; chosen are the films of the message.
    ``liked`` comes from the questionnaire that the seeker filled in after the dialogue, else from
    the recommender's.

    Args:
        folder: of the files; without ``movies_with_mentions.csv`` the catalog holds the films that
            the dialogues name.
        valid: number of dialogues, the last of the training file, that are for validation; by
            default 901, or a tenth of a file of fewer than 9,010.

    Raises:
        DataError: a file is missing, or a line is malformed; the message has its number.
    """
    train, test = (list(_dialogues(folder / name)) for name in (TRAIN, TEST))
    held_out = min(VALID_DIALOGUES, len(train) // 10) if valid is None else valid
    if not 0 <= held_out <= len(train):
        raise DataError(
            f"{held_out} validation dialogues of {len(train)}", hint="fewer than there are"
        )
    titles = _titles(folder / MOVIES)
    for dialogue in (*train, *test):
        for movie, title in dialogue["movieMentions"].items():
            titles.setdefault(movie, title)
    catalog = Catalog(_item(movie, title) for movie, title in titles.items())
    cut = len(train) - held_out
    log = RequestLog(
        "redial",
        catalog,
        train=_requests(train[:cut], titles),
        valid=_requests(train[cut:], titles),
        test=_requests(test, titles),
    )
    refuse_unknown_items(log, str(folder))
    return log


def _requests(dialogues: Sequence[Dialogue], titles: Mapping[str, str]) -> Sequence[Any]:
    return tuple(r for dialogue in dialogues for r in requests_of(dialogue, titles))


def requests_of(dialogue: Dialogue, titles: Mapping[str, str]) -> Iterator[RecordedRequest]:
    """Requests of one dialogue, in order.

    Args:
        dialogue: as published, with mappings for ``movieMentions`` and both questionnaires.
        titles: by id of every film.
    """
    seeker = dialogue["initiatorWorkerId"]
    liked = _answers(dialogue)
    said: list[str] = []
    mentioned: dict[str, RequestItem] = {}
    recommended = False
    for message in dialogue["messages"]:
        by_seeker = message["senderWorkerId"] == seeker
        ids = [m for m in _MENTION.findall(message["text"]) if m in titles]
        named = {m: RequestItem(m, liked.get(m), by_seeker) for m in ids}
        if by_seeker:
            said.append(_inline(message["text"], titles))
        elif named:
            yield RecordedRequest(
                text=" ".join(said),
                chosen=tuple(named.values()),
                mentioned=tuple(mentioned.values()),
                dialogue=str(dialogue["conversationId"]),
                first=not recommended,
            )
            recommended = True
        for movie, item in named.items():
            mentioned.setdefault(movie, item)


def _answers(dialogue: Dialogue) -> dict[str, bool]:
    """What the seeker thought of each film, where either questionnaire tells."""
    out: dict[str, bool] = {}
    for form in ("respondentQuestions", "initiatorQuestions"):  # the seeker's own goes last
        for movie, answer in dialogue[form].items():
            if answer.get("liked") in _LIKED:
                out[movie] = _LIKED[answer["liked"]]
    return out


def _inline(text: str, titles: Mapping[str, str]) -> str:
    found = _MENTION.sub(lambda m: titles.get(m[1], m[0]), text)
    return clean_text(found)


def _dialogues(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in json_lines(path):
        try:
            for field in ("movieMentions", "initiatorQuestions", "respondentQuestions"):
                line[field] = dict(line.get(field) or {})  # an empty list where there are none
            line["movieMentions"] = {
                str(m): clean_text(str(t)) for m, t in line["movieMentions"].items() if t
            }
            for message in line["messages"]:
                message["text"] = str(message["text"])
                message["senderWorkerId"]
            line["initiatorWorkerId"], line["conversationId"]
        except (TypeError, ValueError, LookupError) as e:
            raise DataError(
                f"{path}, line {number}: no dialogue: {type(e).__name__}: {e}",
                hint="take the file as published",
            ) from None
        yield line


def _titles(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        try:
            titles = {row["movieId"].strip(): clean_text(row["movieName"]) for row in rows}
        except (KeyError, AttributeError):
            raise DataError(
                f"{path}: a row without movieId or movieName", hint="take the file as published"
            ) from None
    return {movie: title for movie, title in titles.items() if movie and title}


def _item(movie: str, title: str) -> Item:
    name, year = split_year(title)
    return Item(item_id=movie, title=name, year=year)
