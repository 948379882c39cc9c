"""Build the parts of a recommender from a catalog, without interactions or training."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart import prompts
from coldstart.artifacts.format import prompt_manifest
from coldstart.artifacts.language_advice import LanguageAdvice, advise, encoder_for
from coldstart.artifacts.loading import RecommenderParts, load_adapted, make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.errors import ArtifactError, CatalogError
from coldstart.interactions.interaction_stats import Counts
from coldstart.pipeline.parts import Parts
from coldstart.runtime import models
from coldstart.schema import Item
from coldstart.scoring.scorers import Scorers
from coldstart.settings import Settings
from coldstart.starting.domain import domain_of, has_departments
from coldstart.starting.encoding_progress import Report, ReportingEncoder
from coldstart.starting.survey import CatalogSurvey
from coldstart.starting.weights import from_nothing_ranker, starting_state
from coldstart.starting.zero_shot import ZeroShotGain, measure_zero_shot

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM

_PACKAGES = ("coldstart-rec", "torch", "transformers", "sentence-transformers")


def start_parts(
    items: Any,
    *,
    name: str = "shop",
    encoder: str | None = None,
    base: str = models.DEFAULT_LM,
    prompt: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    report: Report = lambda what, done, total: None,
) -> RecommenderParts:
    """Parts of a recommender of a catalog alone; see ``Recommender.from_catalog``.

    Args:
        items: as there.
        name: of the artifact.
        encoder: as there.
        base: as there.
        prompt: as there.
        device: of the language model.
        dtype: of its weights.
        report: progress callback (what, done, total).

    Raises:
        CatalogError: nothing can be recommended, see ``CatalogSurvey.of``.
        ModelError: a model cannot be loaded.
        FetchError: a packaged model could not be downloaded.
    """
    catalog = as_catalog(items)
    survey = CatalogSurvey.of(catalog)
    template = prompts.load(prompt or survey.prompt)
    encoder_name = encoder_for(catalog) if encoder is None else encoder
    vectors = make_encoder(encoder_name)
    counts = Counts.fit(catalog.ids, {}, {})
    store = ItemStore(catalog, counts, ReportingEncoder(vectors, len(catalog), report))
    store.sync()
    store.encoder = vectors
    lm, fingerprint = _language_model(base, device, dtype)
    departments = has_departments(catalog)
    parts = Parts(
        catalog=catalog,
        item_store=store,
        lm=lm,
        generator=None,
        template=template,
        encoder=vectors,
        index=None,
        content_index=None,
        scorers=Scorers(()),
        ranker=from_nothing_ranker(0.0, encoder_name, departments=departments),
        settings=Settings(tau=1.0, use_prior=False, over_unconditional=True),
    )
    advice = advise(catalog, encoder_name, base)
    gain = ZeroShotGain()
    if advice.base_serves:
        gain = measure_zero_shot(
            parts, lambda done, total: report("measuring the language model", done, total)
        )
    manifest: dict[str, Any] = {
        "name": name,
        "base": {"name": base, "fingerprint": fingerprint},
        "encoder": {"name": encoder_name},
        "catalog": {"source": None, "fingerprint": catalog.fingerprint()},
        "prompt": prompt_manifest(template),
        "settings": asdict(parts.settings),
        "start": {"survey": survey.to_dict(), "model": gain.to_dict()},
        "domain": domain_of(catalog),
        "versions": {"python": platform.python_version(), **{p: _version(p) for p in _PACKAGES}},
    }
    return RecommenderParts(
        catalog=catalog,
        lm=lm,
        template=template,
        counts=counts,
        encoder=vectors,
        ranker=from_nothing_ranker(gain.weight, encoder_name, departments=departments),
        settings=parts.settings,
        manifest=manifest,
        adapter=starting_state(),
        item_store=store,
    )


def told(manifest: dict[str, Any], catalog: Catalog, items: str, out: str) -> list[str]:
    """What a new artifact is made from and what it lacks, in sentences without a full stop.

    Args:
        manifest: as ``start_parts`` makes it.
        catalog: of the artifact.
        items: the table of the catalog, for commands.
        out: folder of the artifact, likewise.
    """
    gain = ZeroShotGain(**manifest["start"]["model"])
    advice: LanguageAdvice = advise(catalog, manifest["encoder"]["name"], manifest["base"]["name"])
    said = CatalogSurvey.of(catalog).sentences()
    said += advice.sentences(items, out)
    if advice.base_serves:
        said.append(gain.sentence())
    return said


def as_catalog(items: Any) -> Catalog:
    """A catalog of whatever holds items: a catalog, items, a table, or the path of one.

    Titles are the ids of a table without a column of ids.

    Raises:
        CatalogError: it is something else, or invalid.
    """
    if isinstance(items, Catalog):
        return items
    if isinstance(items, str | Path):
        return Catalog.load(items, title_ids=True)
    if isinstance(items, Iterable) and not hasattr(items, "columns"):
        found = list(items)
        if all(isinstance(item, Item) for item in found):
            return Catalog.from_items(found)
        kinds = sorted({type(item).__name__ for item in found if not isinstance(item, Item)})
        raise CatalogError(
            f"expected items, got {', '.join(kinds)}",
            hint="give a Catalog, a list of Item, a frame, or the path of a table",
        )
    return Catalog.from_frame(items, title_ids=True)


def _language_model(base: str, device: str, dtype: str) -> tuple[CausalLM, str]:
    """The untuned language model, and its fingerprint.

    The packaged one comes from the cache of decoders once it is there, which takes a second instead
    of the four of importing Transformers and reading the weights.
    """
    from coldstart.generation.models import cached
    from coldstart.generation.models.causal import CausalLM

    known = models.kept_fingerprint(base)
    if known is not None:
        try:
            return load_adapted(base, known, {}, device=device, dtype=dtype), known
        except ArtifactError:  # the model in the cache is another one by now
            pass
    tokenizer = models.load_tokenizer(base)
    model = models.load_causal_lm(base, device=device, dtype=dtype)
    lm, found = CausalLM(model, tokenizer), models.fingerprint(model, tokenizer)
    if models.kept_fingerprint(base, found) is not None and model.device.type == "cpu":
        cached.store_decoder(lm, cached.decoder_folder(base, found, {}, model.dtype))
    return lm, found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
