"""Text to tokens, line by line, the same way in training, scoring and generation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from coldstart.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from coldstart.generation.models.quick import PlainTokenizer

MAX_TITLE_TOKENS = 48
_CHUNK = 8192


class LineTokenizer:
    """Encodes each line, newline included, on its own.

    A prompt followed by a title then always has the tokens of the prompt followed by the tokens of
    the title, whatever the tokenizer would merge across the line break. Control tokens written
    inside the text ("<|im_start|>") are encoded as the characters they are made of.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase | PlainTokenizer) -> None:
        self.tokenizer = tokenizer
        # What the tokenizer puts in front of any text: nothing, or a begin-of-sequence token.
        self.start: tuple[int, ...] = tuple(self._start())
        self.line = lru_cache(maxsize=65_536)(self._line)
        self.end = self.line("\n")
        if not self.end:
            raise ModelError(
                f"{type(tokenizer).__name__} has no token for a line break",
                hint="titles are written one per line; use a model whose tokenizer keeps newlines",
            )

    def _start(self) -> list[int]:
        bos = self.tokenizer.bos_token_id
        ids = self.tokenizer("a")["input_ids"]
        return [bos] if bos is not None and ids and ids[0] == bos else []

    def _line(self, text: str) -> tuple[int, ...]:
        encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return tuple(encoded["input_ids"])

    def encode(self, text: str) -> list[int]:
        """Tokens of a whole prompt, which ends with a newline."""
        ids = list(self.start)
        for line in text.splitlines(keepends=True):
            ids.extend(self.line(line))
        return ids

    def title(self, title: str) -> tuple[int, ...]:
        """Tokens of a title and its line break, at most ``MAX_TITLE_TOKENS`` of them.

        No title's tokens begin another title's: the line break occurs at the end and only there.
        """
        return self._cut(self.line(title + "\n"))

    def _cut(self, line: Sequence[int]) -> tuple[int, ...]:
        ids = tuple(line)
        if len(ids) <= MAX_TITLE_TOKENS:
            return ids
        return ids[: MAX_TITLE_TOKENS - len(self.end)] + self.end

    def titles(self, titles: Iterable[str]) -> Iterator[tuple[int, ...]]:
        """``title`` of each, in order; thousands at a time, and no more than that in memory."""
        rest = iter(titles)
        while chunk := [f"{title}\n" for title in islice(rest, _CHUNK)]:
            yield from map(self._cut, self._batch(chunk))

    def _batch(self, texts: list[str]) -> Iterable[Sequence[int]]:
        inner = getattr(self.tokenizer, "backend_tokenizer", None)
        if inner is None:
            return map(self._line, texts)
        self._line("")  # so that padding, truncation and control tokens are set as for one line
        return (found.ids for found in inner.encode_batch_fast(texts, add_special_tokens=False))

    def count(self, text: str) -> int:
        """Number of tokens of a prompt."""
        return len(self.encode(text))

    def decode(self, ids: list[int] | tuple[int, ...]) -> str:
        """Text of tokens, control tokens left out."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text
