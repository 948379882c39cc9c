"""Free (unconstrained) generation of titles, which may or may not exist.

Sampling, beam search, and diverse beam search (Vijayakumar et al., 2018); beam search is the case
of one group.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch
from torch import Tensor

from coldstart.catalog.titles import clean_text
from coldstart.errors import ArtifactError
from coldstart.schema import Candidate, DecodingConfig

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM

__all__ = ["NextTokens", "search_titles", "write_titles"]


@torch.inference_mode()
def write_titles(
    lm: CausalLM, prompt: str, config: DecodingConfig, seed: int = 0
) -> list[Candidate]:
    """Generate titles after a prompt that ends with a newline.

    A title ends at its line break or at the end of the sequence. Titles that reach
    ``max_new_tokens`` first are unfinished, and returned only if no title is finished.

    Returns:
        At most ``config.n`` candidates of distinct text, in descending log-probability: that of the
        likeliest token sequence found for the text and its line break, over the whole vocabulary
        at temperature 1.

    Raises:
        ModelError: the prompt is empty or too long.
    """
    ids = lm.lines.encode(prompt)
    if not 0 < len(ids) < lm.max_tokens:
        lm.read(ids)  # raises with the reason
    rows = _Rows(lm, ids)
    steps = min(config.max_new_tokens, lm.max_tokens - len(ids))
    if config.mode == "sample":
        digest = hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
        lines = _sample(rows, config, steps, generator)
    else:
        lines = _search(rows, config, steps)
    return _candidates(rows, lines, config.n)


class NextTokens(Protocol):
    """Batch of equally long continuations of one prompt: the model as a search sees it."""

    @property
    def ends(self) -> Tensor:
        """Tokens that end a title, ascending ids."""
        ...

    def allowed(self) -> Tensor:
        """Log-probability of every next token, float32, shape (R, V).

        -inf for control tokens and, as first token, for endings.
        """
        ...

    def step(self, parents: list[int], tokens: list[int]) -> None:
        """Append token i to row ``parents[i]``; these are the new rows, others are dropped."""
        ...

    def text(self, line: _Line) -> str:
        """The cleaned text before the line break."""
        ...


def search_titles(rows: NextTokens, config: DecodingConfig, steps: int) -> list[Candidate]:
    """Generate titles by beam search or diverse beam search, with a local or remote model.

    Args:
        rows: one row, the prompt without a continuation.
        config: decoding parameters.
        steps: longest title, tokens.
    """
    return _candidates(rows, _search(rows, config, steps), config.n)


def _candidates(rows: NextTokens, lines: list[_Line], n: int) -> list[Candidate]:
    lines = [x for x in lines if x.finished] or lines
    best: dict[str, float] = {}
    for line in sorted(lines, key=lambda x: (-x.logprob, x.ids)):
        if text := rows.text(line):
            best.setdefault(text, min(line.logprob, 0.0))
    return [Candidate(text=t, logprob=p, strategy="free") for t, p in best.items()][:n]


class _Line(NamedTuple):
    """Hypothesis: tokens of a title, and its log-probability so far."""

    ids: tuple[int, ...] = ()
    logprob: float = 0.0
    finished: bool = False

    def add(self, token: int, logprob: float, finished: bool) -> _Line:
        return _Line((*self.ids, token), logprob, finished)


class _Rows:
    """``NextTokens`` of a local model: one row of the key-value cache per continuation."""

    def __init__(self, lm: CausalLM, prompt: list[int]) -> None:
        from transformers import DynamicCache

        self._lm = lm
        self._cache = DynamicCache(config=lm.model.config)
        self._start = len(prompt)
        #: Log-probability of every next token, float32, shape (R, V).
        self.logprobs = self._read(torch.tensor([prompt], device=lm.device))
        control, ends = _special_tokens(lm.tokenizer, self.logprobs.shape[1])
        #: Tokens excluded from titles, and tokens that end a title, ascending ids.
        self.control, self.ends = control.to(lm.device), ends.to(lm.device)

    def _read(self, ids: Tensor) -> Tensor:
        inputs = {"input_ids": ids, "past_key_values": self._cache, "use_cache": True}
        if self._lm.has_plain_head:
            states = self._lm.decoder(**inputs).last_hidden_state[:, -1]
            logits = self._lm.hidden_to_logits(states)
        else:
            logits = self._lm.model(**inputs).logits[:, -1].float()
        logprobs = logits.log_softmax(-1)
        if logprobs.isnan().any():
            raise ArtifactError(
                "the language model's log-probabilities are not numbers",
                hint="the adapter is damaged: copy the artifact again, or train another",
            )
        return logprobs

    def step(self, parents: list[int], tokens: list[int]) -> None:
        """See ``NextTokens``."""
        if parents != list(range(len(self.logprobs))):
            self._cache.reorder_cache(torch.tensor(parents, device=self._lm.device))
        self.logprobs = self._read(torch.tensor(tokens, device=self._lm.device)[:, None])

    def allowed(self) -> Tensor:
        """See ``NextTokens``."""
        allowed = self.logprobs.index_fill(1, self.control, -torch.inf)
        first = self._cache.get_seq_length() == self._start
        return allowed.index_fill_(1, self.ends, -torch.inf) if first else allowed

    def text(self, line: _Line) -> str:
        """See ``NextTokens``."""
        return clean_text(self._lm.lines.decode(line.ids).split("\n", 1)[0])


@lru_cache(maxsize=8)
def _special_tokens(tokenizer: Any, size: int) -> tuple[Tensor, Tensor]:
    """Control tokens and end-of-title tokens of a vocabulary of ``size``."""
    known = len(tokenizer)
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    control = (special | set(tokenizer.all_special_ids) | set(range(known, size))) - {
        tokenizer.eos_token_id
    }
    texts = tokenizer.batch_decode([[i] for i in range(min(known, size))])
    ends = {i for i, text in enumerate(texts) if "\n" in text} - control
    if tokenizer.eos_token_id is not None:
        ends.add(tokenizer.eos_token_id)
    return torch.tensor(sorted(control), dtype=torch.long), torch.tensor(sorted(ends))


def _sample(
    rows: _Rows, config: DecodingConfig, steps: int, generator: torch.Generator
) -> list[_Line]:
    """Sample ``n`` titles; token t of title i depends on the random number (i, t) alone."""
    chance = torch.rand(config.n, steps, generator=generator, dtype=torch.float64)
    ends = set(rows.ends.tolist())
    lines = [_Line()] * config.n
    writing, row = list(range(config.n)), [0] * config.n  # unfinished titles, and their rows
    for t in range(steps):
        heap = _weights(rows.allowed(), config).cumsum(1)[row]
        drawn = chance[writing, t].to(heap.device)[:, None] * heap[:, -1:]
        tokens = torch.searchsorted(heap, drawn, right=True)
        gained = rows.logprobs[row].gather(1, tokens)[:, 0].tolist()
        for i, token, gain in zip(writing, tokens[:, 0].tolist(), gained, strict=True):
            lines[i] = lines[i].add(token, lines[i].logprob + gain, token in ends)
        going = [(r, i) for r, i in zip(row, writing, strict=True) if not lines[i].finished]
        if not going or t + 1 == steps:
            break
        writing, row = [i for _, i in going], list(range(len(going)))
        rows.step([r for r, _ in going], [lines[i].ids[-1] for i in writing])
    return lines


def _weights(logprobs: Tensor, config: DecodingConfig) -> Tensor:
    """Sampling weights after temperature, top-k and top-p, float64, shape (R, V)."""
    weights = (logprobs.double() / config.temperature).softmax(1)
    if config.top_k is not None and config.top_k < weights.shape[1]:
        weights[weights < weights.topk(config.top_k, dim=1).values[:, -1:]] = 0
    if config.top_p < 1:
        ordered, places = weights.sort(dim=1, descending=True, stable=True)
        before = ordered.cumsum(1) - ordered
        ordered[before >= config.top_p * ordered.sum(1, keepdim=True)] = 0
        weights = torch.zeros_like(weights).scatter_(1, places, ordered)
    return weights


def _search(rows: NextTokens, config: DecodingConfig, steps: int) -> list[_Line]:
    """Diverse beam search: at each step the groups choose one after the other.

    A hypothesis that ends leaves its group's beam, and the likeliest continuations take its place.
    A group is done when none of these can become one of its best.
    """
    count = min(config.groups, config.n) if config.mode == "diverse" else 1
    sizes = [config.n // count + (g < config.n % count) for g in range(count)]
    beams = [[_Line()] for _ in sizes]
    row = [[0] for _ in sizes]
    done: list[dict[str, _Line]] = [{} for _ in sizes]
    for t in range(steps):
        logprobs = rows.allowed()
        taken = torch.zeros_like(logprobs[0])  # choices of each token by earlier groups
        parents: list[int] = []
        for g, size in enumerate(sizes):
            if not beams[g]:
                continue
            so_far = torch.tensor([x.logprob for x in beams[g]], device=logprobs.device)
            scores = so_far[:, None] + logprobs[row[g]]
            _collect(rows, beams[g], scores, done, g)
            scores.index_fill_(1, rows.ends, -torch.inf)
            penalised = (scores - config.diversity * taken).flatten()
            best = penalised.topk(min(size, len(penalised))).indices
            best = best[scores.flatten()[best] > _bar(done[g], size)]
            tokens = best % scores.shape[1]
            taken += torch.bincount(tokens, minlength=len(taken))
            beam, old_row = beams[g], row[g]
            beams[g], row[g] = [], []
            for r, token in zip((best // scores.shape[1]).tolist(), tokens.tolist(), strict=True):
                beams[g].append(beam[r].add(token, scores[r, token].item(), finished=False))
                row[g].append(len(parents))
                parents.append(old_row[r])
        if not parents or t + 1 == steps:
            break
        rows.step(parents, [line.ids[-1] for beam in beams for line in beam])
    found = [line for beam in beams for line in beam]
    for lines, size in zip(done, sizes, strict=True):
        found += sorted(lines.values(), key=lambda x: -x.logprob)[:size]
    return found


def _collect(
    rows: NextTokens, beam: list[_Line], scores: Tensor, done: list[dict[str, _Line]], group: int
) -> None:
    """Record the likeliest ending of each hypothesis, unless another group has that text."""
    logprobs, which = scores[:, rows.ends].max(1)
    tokens = rows.ends[which].tolist()
    for line, token, logprob in zip(beam, tokens, logprobs.tolist(), strict=True):
        if logprob == -torch.inf:
            continue
        ended = line.add(token, logprob, finished=True)
        text = rows.text(ended)
        if not text or any(text in other for g, other in enumerate(done) if g != group):
            continue
        if text not in done[group] or done[group][text].logprob < logprob:
            done[group][text] = ended


def _bar(done: dict[str, _Line], size: int) -> float:
    """Log-probability that a hypothesis must exceed to be among its group's best ``size``."""
    ranked = sorted((x.logprob for x in done.values()), reverse=True)
    return ranked[size - 1] if len(ranked) >= size else -torch.inf
