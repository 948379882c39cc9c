"""Whether encoder and language model know the script of a catalog, and which hub models would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import catalog_scripts
from coldstart.encoding.coverage import KNOWN, catalog_share, known_share
from coldstart.encoding.ngram_encoder import NAME as NGRAMS
from coldstart.runtime import models, untrusted
from coldstart.schema import Item

_SAMPLE = 1000  # items
HUB_ENCODER = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
"""Sentence encoder of the hub for some fifty languages, 470 MB."""
HUB_LM = "Qwen/Qwen3-0.6B"
"""Causal language model of the hub for some hundred languages, 1.5 GB."""


@dataclass(frozen=True)
class LanguageAdvice:
    """Scripts of a catalog, and how far its models know them.

    Args:
        scripts: share of the catalog's letters by script, the largest first.
        encoder: name of the encoder.
        encoder_share: share of the catalog's letters that it knows, 0 to 1.
        base: name of the language model.
        base_share: likewise.
    """

    scripts: dict[str, float]
    encoder: str
    encoder_share: float
    base: str
    base_share: float

    @property
    def encoder_serves(self) -> bool:
        """Whether the encoder is a model that knows the catalog's script."""
        return self.encoder != NGRAMS and self.encoder_share >= KNOWN

    @property
    def base_serves(self) -> bool:
        """Whether the language model knows it."""
        return self.base_share >= KNOWN

    def sentences(self, items: str, out: str) -> list[str]:
        """What to tell people, with the command that takes models which know the script.

        Args:
            items: the table of the catalog, for the command.
            out: the folder of the artifact, likewise.
        """
        scripts = ", ".join(f"{name} {share:.0%}" for name, share in self.scripts.items())
        told = [f"letters: {scripts or 'none'}"]
        lacking = []
        if not self.encoder_serves:
            lacking.append(f"--encoder {HUB_ENCODER}")
            told.append(
                "contents are compared by words and characters, without a model"
                if self.encoder == NGRAMS
                else f"the encoder {self.encoder} knows {self.encoder_share:.0%} of them: it does "
                "not count"
            )
        if not self.base_serves:
            lacking.append(f"--base {HUB_LM}")
            told.append(
                f"the language model {self.base} knows {self.base_share:.0%} of them: it does not "
                "count"
            )
        if lacking:
            command = f"coldstart start {items} {' '.join(lacking)} --out {out}"
            told.append(f"models of the Hugging Face hub that know them: {command}")
        return told


def advise(catalog: Catalog, encoder: str, base: str) -> LanguageAdvice:
    """Measure how far models know the script of a catalog, by their tokenizers alone.

    Args:
        catalog: whose items are sampled.
        encoder: name as for ``make_encoder``.
        base: name of the language model, as for ``runtime.models``.

    Raises:
        ModelError: a tokenizer cannot be loaded.
    """
    tokenizer = _Tokenizer(base)
    return LanguageAdvice(
        scripts=catalog_scripts(catalog),
        encoder=encoder,
        encoder_share=catalog_share(make_encoder(encoder), catalog),
        base=base,
        base_share=catalog_share(tokenizer, catalog),
    )


def advice_on(folder: Path, manifest: Mapping[str, Any]) -> LanguageAdvice | None:
    """Advice on an artifact with a catalog of its own, of which a sample is read; else ``None``.

    Args:
        folder: of the artifact.
        manifest: its manifest, checked.

    Raises:
        ArtifactError: an item is damaged.
        ModelError: a tokenizer cannot be loaded.
    """
    path = folder / "catalog.jsonl"
    about = manifest.get("catalog") or {}
    if about.get("source") is not None or not path.is_file():
        return None
    step = max(1, int(about.get("items", 0)) // _SAMPLE)
    with path.open(encoding="utf-8", errors="replace") as lines, untrusted.within(str(path)):
        items = [Item.model_validate_json(x) for x in islice(lines, 0, None, step) if x.strip()]
    return advise(Catalog.from_items(items), manifest["encoder"]["name"], manifest["base"]["name"])


def encoder_for(catalog: Catalog, encoder: str = models.DEFAULT_ENCODER) -> str:
    """The name of an encoder if it knows the catalog's script, else ``ngrams``."""
    known = encoder == NGRAMS or catalog_share(make_encoder(encoder), catalog) >= KNOWN
    return encoder if known else NGRAMS


class _Tokenizer:
    """Tokenizer of a language model, loaded where the catalog is not in ASCII."""

    def __init__(self, base: str) -> None:
        self._base, self._loaded = base, None

    def known_share(self, text: str) -> float:
        if text.isascii():
            return 1.0
        self._loaded = self._loaded or models.load_tokenizer(self._base)
        return known_share(self._loaded, text)
