"""Which scripts a tokenizer knows: share of the letters of a text that its tokens stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coldstart.catalog.catalog_scripts import sample_texts
from coldstart.catalog.scripts import SYLLABIC, script_of

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

KNOWN = 0.8
"""Share of known letters from which a model counts as knowing a text's script."""
_WHOLE = SYLLABIC | {"Latin"}  # scripts of which a token may hold one letter
_LONGEST = 2000  # characters of a text that are looked at
_SAMPLE = 100  # items
_UNKNOWN = ("[UNK]", "<unk>", "<UNK>")


def known_share(tokenizer: Any, text: str) -> float:
    """Share of the letters of a text that a tokenizer knows.

    A letter is unknown where its token is the one for unknown text, and where several tokens make
    it up: bytes, or parts of a syllable. In alphabets other than the Latin one, a token has to hold
    at least two letters of a word, too: vocabularies of English have the letters of many alphabets,
    and none of their words.

    Args:
        tokenizer: of the package ``tokenizers``, or a fast one of Transformers.
        text: of a request or an item.

    Returns:
        0 to 1; 1 for text in ASCII, which every vocabulary has, without letters, and where the
        tokenizer tells no positions.
    """
    text = text[:_LONGEST].encode("utf-8", "replace").decode()
    if text.isascii():
        return 1.0
    scripts = [script_of(c) for c in text]
    letters = [n for n, script in enumerate(scripts) if script]
    if not letters:
        return 1.0
    inner = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(inner, "token_to_id"):
        return 1.0  # a tokenizer in Python, which tells no positions
    unknown = {i for name in _UNKNOWN if (i := inner.token_to_id(name)) is not None}
    tokens, known = [0] * len(text), [False] * len(text)
    encoding = inner.encode(text, add_special_tokens=False)
    for token, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
        held = [n for n in range(start, end) if scripts[n]]
        for n in held:
            tokens[n] += 1
            alone = len(held) == 1 and not _within_word(scripts, n)
            known[n] = token not in unknown and (len(held) > 1 or alone or scripts[n] in _WHOLE)
    return sum(known[n] and tokens[n] == 1 for n in letters) / len(letters)


def knows(model: Any, text: str) -> bool:
    """Whether an encoder or a language model knows the script of a text.

    Args:
        model: with a method ``known_share`` of the text; without, it is taken to know everything.
        text: of a request or an item.
    """
    share = getattr(model, "known_share", None)
    return text.isascii() or share is None or bool(share(text) >= KNOWN)


def catalog_share(model: Any, catalog: Catalog) -> float:
    """Mean share of the letters of a sample of a catalog's items that a model knows, 0 to 1.

    Args:
        model: as for ``knows``.
        catalog: 1 if it is empty.
    """
    share = getattr(model, "known_share", None)
    texts = sample_texts(catalog, _SAMPLE) if share is not None else []
    return sum(share(text) for text in texts) / len(texts) if share and texts else 1.0


def _within_word(scripts: list[str], n: int) -> bool:
    return bool((n and scripts[n - 1]) or (n + 1 < len(scripts) and scripts[n + 1]))
