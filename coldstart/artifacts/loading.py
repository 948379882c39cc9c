"""Load the parts of a recommender from an artifact folder: catalog, models, statistics, blend."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.artifacts import format as artifacts
from coldstart.artifacts.adapter_check import check_adapter, check_loaded
from coldstart.catalog.catalog import Catalog
from coldstart.data.named import NAMED
from coldstart.errors import (
    ArtifactError,
    ColdstartError,
    ConfigError,
    FetchError,
    MissingExtraError,
    ModelError,
)
from coldstart.interactions.interaction_stats import Counts
from coldstart.prompts import PromptTemplate
from coldstart.protocols import Encoder
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime import models
from coldstart.runtime.cache import cache_dir
from coldstart.runtime.untrusted import first_line
from coldstart.schema import Item
from coldstart.scoring.registry import SIGNALS
from coldstart.settings import Settings

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.generation.models.causal import CausalLM

    LoadLM = Callable[[str, str, Mapping[str, bytes]], CausalLM]


@dataclass(frozen=True)
class RecommenderParts:
    """Parts of an artifact, loaded and checked; the fields are arguments of ``Recommender``.

    Args:
        catalog: the items.
        lm: the language model.
        template: the prompt template.
        counts: interaction statistics of the training users.
        encoder: the sentence encoder, with a disk cache.
        ranker: the learned blend.
        settings: inference settings.
        manifest: of the artifact.
        adapter: files of the artifact that are saved again unchanged, such as the LoRA adapter's.
        item_store: of the catalog, if it was made already.
    """

    catalog: Catalog
    lm: CausalLM
    template: PromptTemplate
    counts: Counts
    encoder: Encoder
    ranker: BlendRanker
    settings: Settings
    manifest: dict[str, Any]
    adapter: dict[str, bytes]
    item_store: ItemStore | None = None


def load_pretrained(
    folder: Path,
    *,
    device: str,
    dtype: str,
    catalog: Catalog | None = None,
    defer_lm: bool = False,
) -> RecommenderParts:
    """Load an artifact; see ``Recommender.from_pretrained``.

    Args:
        folder: the artifact.
        device: of the language model.
        dtype: of its weights.
        catalog: replaces the artifact's catalog.
        defer_lm: load the weights of the language model at first use.
    """
    now, later = (partial(load, device=device, dtype=dtype) for load in (load_adapted, load_later))
    return load_parts(folder, catalog, later if defer_lm else now, later)


def load_parts(
    folder: Path, catalog: Catalog | None, load_lm: LoadLM, load_unused: LoadLM | None = None
) -> RecommenderParts:
    """Load an artifact with a given loader of the language model.

    Args:
        folder: the artifact.
        catalog: replaces the artifact's catalog; ``None`` keeps it.
        load_lm: (name of the base model, its fingerprint, files of the adapter) → language model.
        load_unused: the same, for a model that the ranker gives no weight; ``None``: ``load_lm``.

    Raises:
        ArtifactError: incomplete, damaged, or made with another catalog or base model.
    """
    artifact = artifacts.load(folder)
    manifest, files = artifact.manifest, artifact.files
    base = manifest["base"]
    adapter = {n: data for n, data in files.items() if not _is_rewritten(n)}
    try:
        settings = Settings.from_dict(manifest["settings"])
        if any(name.startswith("adapter/") for name in files) or "training" in manifest:
            check_adapter(files)
        weighed = artifact.ranker.weighs("both", SIGNALS.learned_late("both"))
        load = load_lm if weighed or load_unused is None else load_unused
        return RecommenderParts(
            _catalog(manifest, files) if catalog is None else catalog,
            load(base["name"], base["fingerprint"], adapter),
            artifact.template,
            artifact.counts,
            make_encoder(manifest["encoder"]["name"]),
            artifact.ranker,
            settings,
            manifest,
            adapter,
        )
    except (FetchError, MissingExtraError, ConfigError):
        raise  # of this machine, not of the artifact
    except ColdstartError as e:
        raise ArtifactError(f"{folder}: {e.message}", e.hint) from e
    except Exception as e:  # what no check foresaw
        raise ArtifactError(
            f"{folder}: cannot load the artifact: {first_line(e)}",
            hint="it was altered after saving, or made by another version; save it again",
        ) from e


def _is_rewritten(name: str) -> bool:
    """True for files that ``save_pretrained`` writes from the recommender's state."""
    state = ("prompt/template.j2", "counts.safetensors", "ranker.json", "catalog.jsonl")
    return name in state


def make_encoder(name: str) -> Encoder:
    """Create a lazily loaded sentence-transformers encoder with a disk cache of item vectors.

    Args:
        name: hub id, folder, packaged default, or ``ngrams`` for vectors without a model.

    Raises:
        ModelError: no such folder, or one that brings code.
    """
    from coldstart.encoding.foreign_code import refuse_code
    from coldstart.encoding.ngram_encoder import NAME as NGRAMS
    from coldstart.encoding.ngram_encoder import NgramEncoder
    from coldstart.encoding.sentence_encoder import LazyEncoder
    from coldstart.encoding.vector_cache import CachedEncoder

    if name == NGRAMS:
        return NgramEncoder()
    where = models.resolve(name)
    if Path(where).is_dir():
        refuse_code(Path(where))
    return CachedEncoder(LazyEncoder(where), cache_dir() / "vectors")


def load_base(
    base: str, fingerprint: str, *, device: str = "auto", dtype: str = "auto"
) -> tuple[Any, Any]:
    """Load the base model and tokenizer of an adapter, verified by fingerprint.

    Raises:
        ArtifactError: the fingerprint differs.
    """
    tokenizer = models.load_tokenizer(base)
    model = models.load_causal_lm(base, device=device, dtype=dtype)
    found = models.fingerprint(model, tokenizer)
    if found != fingerprint:
        raise ArtifactError(
            f"the adapter was trained on another base model: {base} has fingerprint {found}, "
            f"the artifact expects {fingerprint}",
            hint="use the base model and version that the model card names",
        )
    return model, tokenizer


def load_adapted(
    base: str, fingerprint: str, files: Mapping[str, bytes], *, device: str, dtype: str
) -> CausalLM:
    """Load the base model with the LoRA adapter merged; on a CPU, from a memory-mapped cache.

    Raises:
        ArtifactError: the adapter was trained on another base model, or does not fit it.
    """
    from coldstart.generation.models import cached
    from coldstart.runtime.hardware import pick_device, pick_dtype, use_all_cores

    def whole() -> CausalLM:
        return _merged(base, fingerprint, files, device=device, dtype=dtype)

    where = pick_device(device)
    if where.type != "cpu":
        return whole()
    folder = cached.decoder_folder(base, fingerprint, files, pick_dtype(where, dtype))
    if folder.is_dir():
        use_all_cores()
        try:
            return cached.load_decoder(folder, whole)
        except ModelError:  # damaged: rebuilt below
            pass
    lm = whole()
    cached.store_decoder(lm, folder)
    return lm


def load_later(
    base: str, fingerprint: str, files: Mapping[str, bytes], *, device: str, dtype: str
) -> CausalLM:
    """Load the tokenizer now and the weights, by ``load_adapted``, at first use.

    Raises:
        ModelError: the tokenizer cannot be loaded.
    """
    from coldstart.generation.models.cached import load_deferred

    load = partial(load_adapted, base, fingerprint, files, device=device, dtype=dtype)
    return load_deferred(base, fingerprint, load)


def _merged(
    base: str, fingerprint: str, files: Mapping[str, bytes], *, device: str, dtype: str
) -> CausalLM:
    from coldstart.generation.models.causal import CausalLM

    adapted = load_unmerged(base, fingerprint, files, device=device, dtype=dtype)
    merge = getattr(adapted.model, "merge_and_unload", None)
    return adapted if merge is None else CausalLM(merge().eval(), adapted.tokenizer)


def load_unmerged(
    base: str, fingerprint: str, files: Mapping[str, bytes], *, device: str, dtype: str
) -> CausalLM:
    """Load the base model with the LoRA adapter, if there is one, attached but not merged.

    Raises:
        ArtifactError: as ``load_adapted``.
    """
    from coldstart.generation.models.causal import CausalLM

    model, tokenizer = load_base(base, fingerprint, device=device, dtype=dtype)
    if not any(name.startswith("adapter/") for name in files):
        return CausalLM(model.eval(), tokenizer)
    from peft import PeftModel

    logging.getLogger("peft").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
        for name, data in files.items():
            if name.startswith("adapter/"):
                Path(tmp, Path(name).name).write_bytes(data)
        try:
            with models.quietly():
                adapted = PeftModel.from_pretrained(model, tmp, autocast_adapter_dtype=False)
        except Exception as e:
            raise ArtifactError(
                f"the adapter does not fit {base}: {first_line(e)}", hint="copy the artifact again"
            ) from e
    check_loaded(adapted, files)
    return CausalLM(adapted.eval(), tokenizer)


def _catalog(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Catalog:
    about = manifest["catalog"]
    if about["source"] in NAMED:
        catalog = NAMED[about["source"]].load_catalog()
    elif about["source"] is None and "catalog.jsonl" in files:
        # Item by item as they were saved: readers of people's files clean texts, and would change
        # the fingerprint.
        try:
            lines = files["catalog.jsonl"].decode("utf-8").split("\n")
            items = [Item.model_validate_json(line) for line in lines if line]
        except ValueError as e:
            raise ArtifactError(
                f"catalog.jsonl is damaged: {first_line(e)}", hint="copy the artifact again"
            ) from e
        catalog = Catalog.from_items(items)
    else:
        raise ArtifactError(
            f"the artifact's catalog comes from {about['source']!r}, which is unknown here; "
            f"known: {', '.join(NAMED)}",
            hint="pass the catalog: Recommender.from_pretrained(path, catalog=Catalog.load(FILE))",
        )
    if catalog.fingerprint() != about["fingerprint"]:
        raise ArtifactError(
            "the catalog is not the one the artifact was made with",
            hint="pass catalog=… on purpose if that is wanted",
        )
    return catalog
