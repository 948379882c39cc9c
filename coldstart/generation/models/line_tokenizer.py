"""Line-wise tokenization of prompts and titles, shared by training, scoring and generation."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from coldstart.encoding.coverage import known_share
from coldstart.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

MAX_TITLE_TOKENS = 48
_CHUNK = 8192


class FastTokenizer:
    """Tokenizer of the ``tokenizers`` library, usable without importing Transformers.

    Args:
        inner: the tokenizer.
        bos_token_id: begin-of-sequence token, if any.
        eos_token_id: end-of-sequence token, if known.
    """

    def __init__(
        self, inner: Tokenizer, bos_token_id: int | None, eos_token_id: int | None = None
    ) -> None:
        self.backend_tokenizer = inner
        self.bos_token_id, self.eos_token_id = bos_token_id, eos_token_id
        self._lock = threading.Lock()

    def __call__(
        self, text: str, *, add_special_tokens: bool = True, split_special_tokens: bool = False
    ) -> dict[str, list[int]]:
        """Encode a text; with ``split_special_tokens``, control tokens in it as plain text."""
        with self._lock:  # the setting is the tokenizer's, not the call's
            if self.backend_tokenizer.encode_special_tokens != split_special_tokens:
                self.backend_tokenizer.encode_special_tokens = split_special_tokens
            found = self.backend_tokenizer.encode(text, None, False, add_special_tokens)
        return {"input_ids": found.ids}

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Decode token ids."""
        text: str = self.backend_tokenizer.decode(list(ids), skip_special_tokens)
        return text


class LineTokenizer:
    """Tokenizer that encodes each line, newline included, on its own.

    The tokens of a prompt followed by a title are thus always the tokens of the prompt followed by
    the tokens of the title, whatever merges the tokenizer would make across the line break. Control
    tokens inside the text ("<|im_start|>") are encoded as plain text.

    Args:
        tokenizer: of the language model.

    Raises:
        ModelError: the tokenizer has no token for a line break.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase | FastTokenizer) -> None:
        self.tokenizer = tokenizer
        # What the tokenizer puts in front of any text: nothing, or a begin-of-sequence token.
        self.start: tuple[int, ...] = tuple(self._start())
        #: Encode a line of fixed text, such as a title; kept, so never one that a user wrote.
        self.line = lru_cache(maxsize=65_536)(self.once)
        self.end = self.line("\n")
        if not self.end:
            raise ModelError(
                f"{type(tokenizer).__name__} has no token for a line break",
                hint="titles are written one per line; use a model whose tokenizer keeps newlines",
            )

    @property
    def eos_token_id(self) -> int | None:
        """End-of-sequence token, if known."""
        token: int | None = getattr(self.tokenizer, "eos_token_id", None)
        return token

    def _start(self) -> list[int]:
        bos = self.tokenizer.bos_token_id
        ids = self.tokenizer("a")["input_ids"]
        return [bos] if bos is not None and ids and ids[0] == bos else []

    def once(self, text: str) -> tuple[int, ...]:
        """Encode one line, newline included, without keeping it."""
        encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return tuple(encoded["input_ids"])

    def encode(self, text: str) -> list[int]:
        """Encode a whole prompt, which ends with a newline."""
        ids = list(self.start)
        for line in text.splitlines(keepends=True):
            ids.extend(self.once(line))
        return ids

    def title(self, title: str) -> tuple[int, ...]:
        """Encode a title and its line break, truncated to ``MAX_TITLE_TOKENS`` tokens.

        No title's tokens are a prefix of another title's: the line break occurs at the end only.
        """
        return self._cut(self.line(title + "\n"))

    def _cut(self, line: Sequence[int]) -> tuple[int, ...]:
        ids = tuple(line)
        if len(ids) <= MAX_TITLE_TOKENS:
            return ids
        return ids[: MAX_TITLE_TOKENS - len(self.end)] + self.end

    def titles(self, titles: Iterable[str]) -> Iterator[tuple[int, ...]]:
        """Encode titles as ``title`` does, lazily, in batches of a few thousand."""
        rest = iter(titles)
        while chunk := [f"{title}\n" for title in islice(rest, _CHUNK)]:
            yield from map(self._cut, self._batch(chunk))

    def _batch(self, texts: list[str]) -> Iterable[Sequence[int]]:
        inner = getattr(self.tokenizer, "backend_tokenizer", None)
        if inner is None:
            return map(self.once, texts)
        self.once("")  # so that padding, truncation and control tokens are set as for one line
        return (found.ids for found in inner.encode_batch_fast(texts, add_special_tokens=False))

    def count(self, text: str) -> int:
        """Number of tokens of a prompt."""
        return len(self.encode(text))

    def known_share(self, text: str) -> float:
        """Share of the letters of a text that the tokenizer knows; see ``encoding.coverage``."""
        self.once("")  # so that padding, truncation and control tokens are set as for one line
        return known_share(self.tokenizer, text)

    def decode(self, ids: Sequence[int]) -> str:
        """Decode token ids, control tokens left out."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text
