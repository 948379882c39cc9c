"""``POST /v1/generate``: generated titles, in one response or streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from coldstart.errors import ColdstartError
from coldstart.schema import Context, DecodingConfig, Grounding, UserProfile
from coldstart.serve import costs
from coldstart.serve.admission import charge
from coldstart.serve.errors import ApiError, from_coldstart, invalid
from coldstart.serve.requests import GenerateIn, to_profile
from coldstart.serve.responses import Generated, MatchOut, Written
from coldstart.serve.routes.common import KEYS, Served, check_k, errors

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.service import Service

router = APIRouter(tags=["generate"], dependencies=KEYS)
_CHUNK = 2
_MAX_ROUNDS = 4  # multiple of the number of rounds that suffices without repeated titles


@router.post(
    "/v1/generate",
    response_model=Generated,
    responses=errors()
    | {200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
)
async def generate(
    body: GenerateIn,
    service: Served,
    stream: Annotated[
        bool, Query(description="Stream one JSON line per title as soon as it is generated.")
    ] = False,
) -> Generated | Response:
    """Generate titles with the language model and match them to catalog items.

    ``free`` titles are decoded by beam search, most likely first; with ``stream=true`` they are
    sampled a few at a time and sent at once. The last line of a stream is ``{"done": true, …}``,
    or an error.
    """
    check_k(service, body.n)
    cost = costs.of_titles(body.strategy, body.n)
    charge(cost)
    if not stream:
        _check_cost(body, cost, service)
        return await service.worker.call(_generation(body, body.n), service.arm, cost=cost)
    batches = _batches(body, service)
    first = await anext(batches, None)  # errors are raised before the status line is sent
    return StreamingResponse(_lines(first, batches), media_type="application/x-ndjson")


def _check_cost(body: GenerateIn, cost: float, service: Service) -> None:
    """Reject a number of titles that takes too long in one go on this machine.

    Raises:
        ApiError: 422, ``n`` is too large.
    """
    largest = service.worker.largest()
    if cost > largest:
        most = costs.most_titles(body.strategy, largest)
        raise invalid(
            f"n: this machine generates at most {most} titles at a time within the deadline",
            "ask for fewer, or stream them with ?stream=true",
        )


async def _batches(body: GenerateIn, service: Service) -> AsyncIterator[Generated]:
    """New titles as they are generated; each chunk is queued separately."""
    if body.strategy == "catalog":  # one pass over the trie gives all at once
        cost = costs.of_titles("catalog", body.n)
        yield await service.worker.call(_generation(body, body.n), service.arm, cost=cost)
        return
    seen: set[str] = set()
    for chunk in range(_MAX_ROUNDS * -(-body.n // _CHUNK)):
        work = _generation(body, _CHUNK, chunk=chunk)
        cost = costs.of_titles("free", _CHUNK)
        found = await service.worker.call(work, service.arm, cost=cost)
        new = [c for c in found.candidates if c.text not in seen][: body.n - len(seen)]
        seen |= {c.text for c in new}
        yield Generated(candidates=new, abstained=sum(not c.matches for c in new))
        if len(seen) >= body.n:
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
    except (ApiError, ColdstartError) as e:
        refusal = e if isinstance(e, ApiError) else from_coldstart(e)
        yield bytes(refusal.response().body).decode() + "\n"
        return
    yield f'{{"done":true,"candidates":{count},"abstained":{abstained}}}\n'


def _generation(
    body: GenerateIn, n: int, *, chunk: int | None = None
) -> Callable[[Recommender], Generated]:
    """Job for the worker that generates ``n`` titles; a stream's ``chunk`` samples them."""
    profile: UserProfile = to_profile(body.profile, body.input)
    context = Context.model_validate(body.context.model_dump())

    def work(rec: Recommender) -> Generated:
        if rec.lm is None:
            raise invalid("this recommender has no language model", "use /v1/recommend")
        decoding, seed = None, body.seed
        if chunk is not None:
            decoding, seed = DecodingConfig(mode="sample", n=n), body.seed + chunk
        found = rec.generate(
            profile,
            context,
            n=n,
            strategy=body.strategy,
            decoding=decoding,
            unknown_picks=body.unknown_picks,
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
