"""Lists of several users, the language model reading all their prompts in one pass.

Matrix products of more rows are faster; ``python benchmarks/throughput.py --joint`` measures by how
much. Nothing else is shared: every list is the one that its user would get alone, but for the last
bits of a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from coldstart.pipeline.response import AnswerOptions
from coldstart.profile.resolve import ResolvedProfile
from coldstart.runtime.hardware import one_blas_thread
from coldstart.schema import Candidate, RecommendationList, Strategy
from coldstart.scoring.lm_signals import LMSignals, model_feature

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coldstart.generation.decoding.free import DecodingConfig
    from coldstart.recommender import Recommender

    Ints = NDArray[np.int64]


T = TypeVar("T")

SOME = 16
"""Users whose lists are made at once; more together are hardly faster."""


@dataclass(frozen=True)
class Request:
    """A list that somebody waits for.

    Args:
        user: the resolved profile.
        options: which list.
        decoding: how the model writes.
        seed: of free writing.
    """

    user: ResolvedProfile
    options: AnswerOptions
    decoding: DecodingConfig | None = None
    seed: int = 0


def answer_jointly(
    recommender: Recommender, requests: Sequence[Request]
) -> Iterator[tuple[int, RecommendationList | Exception]]:
    """Answer several users; one's error is nobody else's.

    Whoever needs titles judged is judged in one pass. Free writing takes several times as long, so
    it comes after that, one user after another, and whoever is done does not wait for it; a server
    writes for several at a time.

    Args:
        recommender: its catalog must not change meanwhile.
        requests: what is asked for.

    Yields:
        The position of a request and its list, or why there is none; as soon as it is there.
    """
    lists = [_List(recommender, position, request) for position, request in enumerate(requests)]
    with one_blas_thread():
        for one in lists:
            one.go_on(None)
        moved = lists
        while True:
            yield from ((one.position, one.made) for one in moved if one.made is not None)
            waiting = [one for one in lists if one.made is None]
            if not waiting:
                return
            moved = [one for one in waiting if one.question[0] == "catalog"]
            if moved:
                asked = [(one.request.user, one.question[1]) for one in moved]
                for one, found in zip(moved, _judged(recommender, asked), strict=True):
                    one.go_on(found)
            else:
                moved = waiting[: recommender.reader.generator.concurrency]
                written = _written(recommender, [one.request for one in moved])
                for one, found in zip(moved, written, strict=True):
                    one.go_on(found)


def answer_in_parts(
    recommender: Recommender, requests: Sequence[Request]
) -> Iterator[tuple[int, RecommendationList | Exception]]:
    """``answer_jointly`` for any number of users, ``SOME`` at a time."""
    for start in range(0, len(requests), SOME):
        for position, made in answer_jointly(recommender, requests[start : start + SOME]):
            yield start + position, made


def answer_all(recommender: Recommender, requests: Sequence[Request]) -> list[RecommendationList]:
    """The list of everyone. Raises the first error."""
    made: dict[int, RecommendationList] = {}
    for position, one in answer_in_parts(recommender, requests):
        if isinstance(one, Exception):
            raise one
        made[position] = one
    return [made[position] for position in range(len(requests))]


def judge(
    recommender: Recommender, asked: Sequence[tuple[ResolvedProfile, Ints | None]]
) -> list[LMSignals]:
    """What ``recommender.lm_signals`` of ``catalog`` says for several users, read in one pass.

    Args:
        recommender: with a language model.
        asked: each user, and the items whose titles are judged, ``None`` for all.

    Raises:
        ModelError: a prompt is longer than the model takes.
    """
    prompts = [recommender.prompt(user) for user, _ in asked]
    rows = [rows for _, rows in asked]
    reader, item_store = recommender.reader, recommender.item_store
    texts = [prompt.text for prompt in prompts]
    found = reader.logprobs_of(list(zip(texts, rows, strict=True)))
    prior = reader.log_prior()
    return [
        LMSignals(
            logprobs=logprobs,
            model=model_feature(item_store, logprobs, prior),
            prompt=prompt.text,
            notes=prompt.notes,
        )
        for prompt, logprobs in zip(prompts, found, strict=True)
    ]


class _List:
    """One user's list in the making: stops at a question, goes on with the evidence."""

    def __init__(self, recommender: Recommender, position: int, request: Request) -> None:
        self.position, self.request = position, request
        self.question: tuple[Strategy, Ints | None] = ("prior", None)
        self.made: RecommendationList | Exception | None = None
        self._steps = recommender.steps(request.user, request.options)

    def go_on(self, found: LMSignals | Exception | None) -> None:
        """Up to the next question or the end; ``None`` to begin."""
        if isinstance(found, Exception):
            self.made = found
            return
        try:
            self.question = self._steps.send(found)  # type: ignore[arg-type]  # None begins
        except StopIteration as end:
            self.made = end.value
        except Exception as e:
            self.made = e


def _judged(
    recommender: Recommender, asked: Sequence[tuple[ResolvedProfile, Ints | None]]
) -> Sequence[LMSignals | Exception]:
    """``judge``, one by one if something is wrong with one of them."""
    try:
        return judge(recommender, asked)
    except Exception as e:
        if len(asked) == 1:
            return [e]
        return [found for one in asked for found in _judged(recommender, [one])]


class _Begun(NamedTuple):
    """One user's writing: the prompt as evidence, and what writes the titles."""

    prompt: LMSignals
    write: Callable[[], Sequence[Candidate]]


def _written(recommender: Recommender, requests: Sequence[Request]) -> list[LMSignals | Exception]:
    """What is written for each user; several at a time are written by a server, on threads."""

    def write(begun: _Begun | Exception) -> Sequence[Candidate] | Exception:
        return begun if isinstance(begun, Exception) else _tried(begun.write)

    all_begun = [_tried(partial(_begin, recommender, request)) for request in requests]
    if len(requests) == 1:
        written = [write(all_begun[0])]
    else:
        with ThreadPoolExecutor(len(requests)) as pool:
            written = list(pool.map(write, all_begun))
    out: list[LMSignals | Exception] = []
    for begun, titles in zip(all_begun, written, strict=True):
        if isinstance(begun, Exception):
            out.append(begun)
        elif isinstance(titles, Exception):
            out.append(titles)
        else:
            out.append(_tried(partial(recommender.written, begun.prompt, titles)))
    return out


def _begin(recommender: Recommender, request: Request) -> _Begun:
    prompt = recommender.prompt(request.user)
    rows = recommender.choosable(request.user, request.decoding, request.options)
    write = partial(
        recommender.reader.write,
        prompt.text,
        recommender.settings.written_titles,
        request.decoding,
        request.seed,
        rows,
    )
    return _Begun(LMSignals(prompt=prompt.text, notes=prompt.notes), write)


def _tried(work: Callable[[], T]) -> T | Exception:
    try:
        return work()
    except Exception as e:
        return e
