"""Completion of titles by a language model: greedy extraction and log-probability.

Carlini et al. (2023, definition 3.1) call a text extractable with a context if greedy decoding
continues the context with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coldstart.errors import ConfigError, DataError

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM
    from coldstart.schema import Item

ROWS_BEFORE = 2


@dataclass(frozen=True)
class Cue:
    """A context and its true continuation, on one line.

    Args:
        item_id: of the title.
        context: what the model is given.
        rest: what follows in the data.
    """

    item_id: str
    context: str
    rest: str


@dataclass(frozen=True)
class Recalled:
    """Completion of one cue by a model.

    Args:
        item_id: of the title.
        greedy: whether greedy decoding writes the rest, token by token.
        logprob: of the rest, nats per token.
        rank: of the rest's first token among the vocabulary, 1 for the likeliest.
    """

    item_id: str
    greedy: bool
    logprob: float
    rank: int


def half_titles(items: Sequence[Item]) -> list[Cue]:
    """The first half of each title of two words or more (the longer half, if odd), and the rest."""
    out = []
    for item in items:
        words = item.title.split()
        if len(words) > 1:
            cut = (len(words) + 1) // 2
            first, rest = " ".join(words[:cut]), " ".join(words[cut:])
            out.append(Cue(item.item_id, f"Title: {first}", f" {rest}"))
    return out


def whole_titles(items: Sequence[Item], thing: str) -> list[Cue]:
    """Nothing but the year, and the title; items without a year are left out."""
    return [
        Cue(i.item_id, f"A {thing} from {i.year}:", f" {i.title}")
        for i in items
        if i.year is not None
    ]


def rows(items: Sequence[Item], before: int = ROWS_BEFORE) -> list[Cue]:
    """The rows before an item in the order of the catalog, as ``id|title (year)``, and its id."""
    lines = [f"{i.item_id}|{i.title}" + (f" ({i.year})" if i.year else "") for i in items]
    return [
        Cue(
            i.item_id, "".join(x + "\n" for x in lines[at - before : at]) + i.item_id + "|", i.title
        )
        for at, i in enumerate(items)
        if at >= before
    ]


def recall(
    lm: CausalLM,
    cues: Sequence[Cue],
    *,
    batch: int = 32,
    report: Callable[[int, int], None] | None = None,
) -> list[Recalled]:
    """Teacher-forced completion of cues, one forward pass per batch: greedy match and log-prob.

    Greedy decoding writes the rest if and only if each of its tokens is the likeliest after the
    true ones before it, so nothing has to be generated.

    Args:
        lm: the model.
        cues: contexts and continuations; context and rest are tokenised together.
        batch: cues per pass.
        report: called with (done, total) after each batch.

    Returns:
        One for each cue, in order.

    Raises:
        ConfigError: ``batch`` is below 1.
        DataError: a rest adds no token, or a cue is longer than the model reads.
    """
    if batch < 1:
        raise ConfigError(f"batch is {batch}", hint="give 1 or more")
    tokens = [_tokens(lm, cue) for cue in cues]
    order = sorted(range(len(cues)), key=lambda n: len(tokens[n][0]))  # little padding
    found: dict[int, Recalled] = {}
    for at in range(0, len(order), batch):
        part = order[at : at + batch]
        for n, (greedy, logprob, rank) in zip(
            part, _read(lm, [tokens[n] for n in part]), strict=True
        ):
            found[n] = Recalled(cues[n].item_id, greedy, logprob, rank)
        if report:
            report(min(at + batch, len(order)), len(order))
    return [found[n] for n in range(len(cues))]


def fits(lm: CausalLM, cue: Cue) -> bool:
    """Whether a model can read all of a cue."""
    return lm.lines.count(cue.context + cue.rest) <= lm.max_tokens


def _tokens(lm: CausalLM, cue: Cue) -> tuple[list[int], int]:
    """All tokens of a cue, and where its rest begins: at the first that the context alone lacks."""
    whole, context = lm.lines.encode(cue.context + cue.rest), lm.lines.encode(cue.context)
    start = next(
        (n for n, (a, b) in enumerate(zip(whole, context, strict=False)) if a != b),
        min(len(whole), len(context)),
    )
    if not 0 < start < len(whole) or len(whole) > lm.max_tokens:
        raise DataError(
            f"item {cue.item_id!r}: a cue of {len(whole)} tokens, {start} of them given",
            hint=f"it needs at least one of each, and at most {lm.max_tokens} in all",
        )
    return whole, start


def _read(lm: CausalLM, batch: Sequence[tuple[list[int], int]]) -> list[tuple[bool, float, int]]:
    """For each: greedy or not, nats per token, rank of the first token."""
    import torch

    longest = max(len(ids) for ids, _ in batch)
    # A causal model does not look ahead, so what stands behind the text changes nothing.
    ids = torch.tensor([x + x[-1:] * (longest - len(x)) for x, _ in batch], device=lm.device)
    places = [(row, n - 1) for row, (x, start) in enumerate(batch) for n in range(start, len(x))]
    at = torch.tensor(places, device=lm.device)
    with torch.inference_mode():
        if lm.has_plain_head:
            states = lm.decoder(input_ids=ids, use_cache=False).last_hidden_state
            logits = lm.hidden_to_logits(states[at[:, 0], at[:, 1]])
        else:
            logits = lm.model(input_ids=ids, use_cache=False).logits[at[:, 0], at[:, 1]].float()
        true = ids[at[:, 0], at[:, 1] + 1][:, None]
        own = logits.gather(1, true)
        ranks = (1 + (logits > own).sum(1)).tolist()
        logprobs = (own[:, 0] - logits.logsumexp(1)).tolist()
    out, done = [], 0
    for x, start in batch:
        end = done + len(x) - start
        mine = ranks[done:end]
        out.append((max(mine) == 1, sum(logprobs[done:end]) / len(mine), mine[0]))
        done = end
    return out
