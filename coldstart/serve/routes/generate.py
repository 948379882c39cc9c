"""``POST /v1/generate``: what the model writes, at once or as it writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from coldstart.errors import ColdstartError
from coldstart.schema import Context, DecodingConfig, Grounding, UserProfile
from coldstart.serve.errors import Refusal, from_coldstart, invalid
from coldstart.serve.models import Generated, GenerateIn, MatchOut, Written, plain
from coldstart.serve.routes.common import KEYS, Served, check_k, errors

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.service import Service

router = APIRouter(tags=["generate"], dependencies=KEYS)
_AT_A_TIME = 2
_MOST_ROUNDS = 4  # times as many as would do if no title came twice


@router.post(
    "/v1/generate",
    response_model=Generated,
    responses=errors()
    | {200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
)
async def generate(
    asked: GenerateIn,
    service: Served,
    stream: Annotated[
        bool, Query(description="One JSON line per title, sent as soon as it is written.")
    ] = False,
) -> Generated | Response:
    """Titles the language model comes up with, and the items they stand for.

    ``free`` titles are searched for together, the likeliest first; with ``stream=true`` they are
    drawn a few at a time and sent at once. The last line of a stream is ``{"done": true, …}``, or
    an error.
    """
    check_k(service, asked.n)
    if not stream:
        return await service.worker.call(_wrote(asked, asked.n), service.arm)
    batches = _batches(asked, service)
    first = await anext(batches, None)  # what is refused is refused before the status is sent
    return StreamingResponse(_lines(first, batches), media_type="application/x-ndjson")


async def _batches(asked: GenerateIn, service: Service) -> AsyncIterator[Generated]:
    """Titles that did not come before, as they are written; each batch waits for its turn."""
    if asked.strategy == "catalog":  # one pass over the trie gives all at once
        yield await service.worker.call(_wrote(asked, asked.n), service.arm)
        return
    seen: set[str] = set()
    for turn in range(_MOST_ROUNDS * -(-asked.n // _AT_A_TIME)):
        work = _wrote(asked, _AT_A_TIME, turn=turn)
        found = await service.worker.call(work, service.arm)
        new = [c for c in found.candidates if c.text not in seen][: asked.n - len(seen)]
        seen |= {c.text for c in new}
        yield Generated(candidates=new, abstained=sum(not c.matches for c in new))
        if len(seen) >= asked.n:
            return


async def _lines(first: Generated | None, rest: AsyncIterator[Generated]) -> AsyncIterator[str]:
    count = abstained = 0
    batch = first
    try:
        while batch is not None:
            for candidate in batch.candidates:
                yield candidate.model_dump_json() + "\n"
            count, abstained = count + len(batch.candidates), abstained + batch.abstained
            batch = await anext(rest, None)
    except (Refusal, ColdstartError) as e:
        refusal = e if isinstance(e, Refusal) else from_coldstart(e)
        yield bytes(refusal.response().body).decode() + "\n"
        return
    yield f'{{"done":true,"candidates":{count},"abstained":{abstained}}}\n'


def _wrote(
    asked: GenerateIn, n: int, *, turn: int | None = None
) -> Callable[[Recommender], Generated]:
    """Work that writes ``n`` titles; a ``turn`` of a stream draws them."""
    profile: UserProfile = plain(asked.profile)
    if asked.input is not None:
        about = ". ".join(x for x in (profile.about, asked.input) if x)
        profile = profile.model_copy(update={"about": about})
    context = Context.model_validate(asked.context.model_dump())

    def work(rec: Recommender) -> Generated:
        if rec.lm is None:
            raise invalid("this recommender has no language model", "use /v1/recommend")
        decoding, seed = None, asked.seed
        if turn is not None:
            decoding, seed = DecodingConfig(mode="sample", n=n), asked.seed + turn
        found = rec.generate(
            profile,
            context,
            n=n,
            strategy=asked.strategy,
            decoding=decoding,
            unknown_picks=asked.unknown_picks,
            seed=seed,
        )
        grounded = rec.ground(found)
        return Generated(
            candidates=[_written(g, rec) for g in grounded],
            abstained=sum(g.abstained for g in grounded),
        )

    return work


def _written(grounding: Grounding, rec: Recommender) -> Written:
    return Written(
        text=grounding.candidate.text,
        logprob=grounding.candidate.logprob,
        method=grounding.method,
        matches=[
            MatchOut(item_id=m.item_id, title=rec.catalog[m.item_id].title, similarity=m.similarity)
            for m in grounding.matches
        ],
    )
