"""Next-token log-probabilities from a server, for beam search on the client.

A server's own beam search does not stop at a line break: it continues beyond the title (vLLM 0.32),
and has no groups. So each step of a search is one request with all hypotheses, each the prompt and
its tokens so far, that returns the likeliest next tokens of each. The server's prefix cache spares
the computation of earlier tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from coldstart.catalog.titles import clean_text

if TYPE_CHECKING:
    from coldstart.protocols import PromptTokenizer

    Fetch = Callable[[list[list[int]]], Sequence[Mapping[int, float]]]


class RemoteRows:
    """``free.NextTokens`` of a remote model: the likeliest next tokens of each continuation.

    Args:
        fetch: (token ids of each row) → log-probabilities of each row's likeliest next tokens.
        lines: the tokenizer.
        prompt: token ids.
    """

    def __init__(self, fetch: Fetch, lines: PromptTokenizer, prompt: list[int]) -> None:
        self._fetch, self._tokenizer, self._prompt = fetch, lines, prompt
        self._eos = lines.eos_token_id
        self._lines: list[list[int]] = [[]]
        self._texts: dict[int, str] = {}
        self._read()

    def _read(self) -> None:
        self._found = self._fetch([self._prompt + line for line in self._lines])
        self.__dict__.pop("ends", None)

    @cached_property
    def ends(self) -> Tensor:
        """End-of-title tokens among those returned, ascending ids."""
        seen = {token for row in self._found for token in row}
        ends = {token for token in seen if self._ends(token)}
        return torch.tensor(sorted(ends | {self._tokenizer.end[-1]}))

    def allowed(self) -> Tensor:
        """See ``NextTokens``; -inf also for tokens that the server did not return."""
        tokens = [token for row in self._found for token in row]
        size = max(*tokens, int(self.ends[-1])) + 1
        out = torch.full((len(self._found), size), -torch.inf)
        for n, row in enumerate(self._found):
            for token, logprob in row.items():
                if self._text(token) or self._ends(token):  # other control tokens have no text
                    out[n, token] = logprob
        return out if self._lines[0] else out.index_fill_(1, self.ends, -torch.inf)

    def step(self, parents: list[int], tokens: list[int]) -> None:
        """See ``NextTokens``."""
        pairs = zip(parents, tokens, strict=True)
        self._lines = [[*self._lines[parent], token] for parent, token in pairs]
        self._read()

    def text(self, line: tuple[tuple[int, ...], float, bool]) -> str:
        """See ``NextTokens``."""
        return clean_text(self._tokenizer.decode(line[0]).split("\n", 1)[0])

    def _ends(self, token: int) -> bool:
        return token == self._eos or "\n" in self._text(token)

    def _text(self, token: int) -> str:
        if token not in self._texts:
            self._texts[token] = self._tokenizer.decode([token])
        return self._texts[token]
