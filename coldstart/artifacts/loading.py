"""From an artifact folder to a working recommender, and from training results to one."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.artifacts import format as artifacts
from coldstart.catalog.catalog import Catalog
from coldstart.data.named import NAMED
from coldstart.errors import ArtifactError, ModelError
from coldstart.protocols import Encoder, TextGenerator
from coldstart.runtime import models
from coldstart.runtime.cache import cache_dir
from coldstart.settings import Settings

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM
    from coldstart.recommender import Recommender

    LoadLM = Callable[[str, str, Mapping[str, bytes]], CausalLM]


def load_recommender(
    kind: type[Recommender],
    folder: Path,
    *,
    device: str,
    dtype: str,
    catalog: Catalog | None,
    generator: TextGenerator | None = None,
) -> Recommender:
    """Load an artifact; see ``Recommender.from_pretrained``."""
    load = load_adapted if generator is None else load_later
    made = load_with(kind, folder, catalog, partial(load, device=device, dtype=dtype))
    made.generator = generator
    return made


def load_with(
    kind: Callable[..., Recommender], folder: Path, catalog: Catalog | None, load_lm: LoadLM
) -> Recommender:
    """Load an artifact, its language model by a function.

    Args:
        kind: what to make.
        folder: the artifact.
        catalog: recommend from this one; ``None``: from the artifact's.
        load_lm: (name of the base model, its fingerprint, files of the adapter) → language model.
    """
    artifact = artifacts.load(folder)
    manifest = artifact.manifest
    try:
        base, settings = manifest["base"], Settings.from_dict(manifest["settings"])
        encoder_name = manifest["encoder"]["name"]
        fingerprint = base["fingerprint"]
    except (KeyError, TypeError) as e:
        raise ArtifactError(f"{folder}: the manifest lacks {e}", hint="save it again") from e
    adapter = {n: data for n, data in artifact.files.items() if not _is_rewritten(n)}
    return kind(
        _catalog(manifest, artifact.files) if catalog is None else catalog,
        load_lm(base["name"], fingerprint, adapter),
        artifact.template,
        artifact.counts,
        make_encoder(encoder_name),
        artifact.ranker,
        settings,
        manifest=manifest,
        adapter=adapter,
    )


def _is_rewritten(name: str) -> bool:
    """Files that ``save_pretrained`` writes from the recommender's own state."""
    state = ("prompt/template.j2", "counts.safetensors", "ranker.json", "catalog.jsonl")
    return name in state


def make_encoder(name: str) -> Encoder:
    """A sentence-transformers model by hub id, folder or packaged default, with a disk cache."""
    from coldstart.encoding.sentence_encoder import LazyEncoder
    from coldstart.encoding.vector_cache import CachedEncoder

    return CachedEncoder(LazyEncoder(models.resolve(name)), cache_dir() / "vectors")


def load_base(
    base: str, fingerprint: str, *, device: str = "auto", dtype: str = "auto"
) -> tuple[Any, Any]:
    """Load model and tokenizer that an adapter was trained on.

    Raises:
        ArtifactError: these are not they.
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
    """Load the base model with the LoRA adapter merged into it, at once if it was kept before.

    Raises:
        ArtifactError: the base model is not the one the adapter was trained on, or the adapter
            does not fit it.
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
        except ModelError:  # damaged: made anew
            pass
    lm = whole()
    cached.store_decoder(lm, folder)
    return lm


def load_later(
    base: str, fingerprint: str, files: Mapping[str, bytes], *, device: str, dtype: str
) -> CausalLM:
    """``load_adapted`` when something asks for the weights; until then, the tokenizer alone.

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
    return CausalLM(adapted.model.merge_and_unload().eval(), adapted.tokenizer)


def load_unmerged(
    base: str, fingerprint: str, files: Mapping[str, bytes], *, device: str, dtype: str
) -> CausalLM:
    """Load the base model with the LoRA adapter beside it.

    Raises:
        ArtifactError: as ``load_adapted``.
    """
    from peft import PeftModel

    from coldstart.generation.models.causal import CausalLM

    model, tokenizer = load_base(base, fingerprint, device=device, dtype=dtype)
    logging.getLogger("peft").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
        for name, data in files.items():
            if name.startswith("adapter/"):
                Path(tmp, Path(name).name).write_bytes(data)
        try:
            with models.quietly():
                adapted = PeftModel.from_pretrained(model, tmp, autocast_adapter_dtype=False)
        except Exception as e:
            first = str(e).strip().splitlines()[0][:200] if str(e).strip() else type(e).__name__
            raise ArtifactError(
                f"the adapter does not fit {base}: {first}", hint="copy the artifact anew"
            ) from e
    return CausalLM(adapted.eval(), tokenizer)


def _catalog(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Catalog:
    about = manifest["catalog"]
    if about["source"] in NAMED:
        catalog = NAMED[about["source"]].load_catalog()
    elif about["source"] is None and "catalog.jsonl" in files:
        with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
            path = Path(tmp, "catalog.jsonl")
            path.write_bytes(files["catalog.jsonl"])
            catalog = Catalog.from_jsonl(path) if files["catalog.jsonl"].strip() else Catalog()
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
