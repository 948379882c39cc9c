"""Training from recorded requests: request scorers, request encoder, their blend, artifact."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from coldstart.catalog.item_encoding import encode_items
from coldstart.data.dataset import Dataset
from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.encoding.adapted import adapted_encoder, adapter_scale
from coldstart.encoding.sentence_encoder import LazyEncoder
from coldstart.encoding.vector_cache import CachedEncoder
from coldstart.errors import DataError
from coldstart.runtime import models
from coldstart.runtime.cache import cache_dir, new_folder
from coldstart.schema import Strategy, UserProfile
from coldstart.scoring.request_tower import query_text
from coldstart.splitting.user_splits import Split
from coldstart.training.requests.blend import (
    blend_ndcg,
    fit_request_blend,
    popularity_ndcg,
    request_cases,
)
from coldstart.training.requests.tower import (
    AdaptedSentenceEncoder,
    TowerConfig,
    TowerData,
    TowerHead,
    fit_encoder,
    fit_head,
    tower_files,
)

if TYPE_CHECKING:
    from torch import Tensor

    from coldstart.catalog.item_store import ItemStore
    from coldstart.ranking.conditional_logit import ChoiceCase
    from coldstart.ranking.request_blend import RequestBlend
    from coldstart.recommender import Recommender
    from coldstart.schema import Item

Report = Callable[[dict[str, Any]], None]
_ADAPTER, _CONFIG = "adapter_model.safetensors", "adapter_config.json"


@dataclass(frozen=True)
class RequestTraining:
    """Settings.

    Args:
        tower: of the request encoder.
        blend_requests: most validation requests on which the blend is fitted.
        l2: penalty of the blend's weights.
        keep: how many validation requests the blend at hand is worth: the fewer there are, the
            closer the weights stay to it; 0: they are learned without it.
        final: learn everything but encoder and blend again, from training and validation requests
            together; otherwise the validation requests stay unseen.
        reading_epochs: of teaching the language model to read requests for films; 0: not at all.
        seed: of the choice of validation requests.
    """

    tower: TowerConfig = field(default_factory=TowerConfig)
    blend_requests: int = 1500
    l2: float = 1e-3
    keep: float = 0.0
    final: bool = True
    reading_epochs: int = 0
    seed: int = 0


def dialogues_as_users(log: RequestLog) -> tuple[Dataset, Split]:
    """Interactions from requests: each dialogue is a user who likes what it mentions and chooses.

    A request without a dialogue is a user of its own. Items that the person said not to like are
    left out.
    """
    parts: dict[str, tuple[str, ...]] = {}
    likes: dict[str, tuple[str, ...]] = {}
    for name in ("train", "valid", "test"):
        found: dict[str, dict[str, None]] = {}
        for n, request in enumerate(getattr(log, name)):
            named = (*request.mentioned, *request.chosen)
            items = [i.item_id for i in named if i.liked is not False]
            user = f"{name}-{request.dialogue}" if request.dialogue else f"{name}#{n}"
            found.setdefault(user, {}).update(dict.fromkeys(items))
        likes |= {user: tuple(items) for user, items in found.items() if items}
        parts[name] = tuple(user for user, items in found.items() if items)
    users = {user: UserProfile() for user in likes}
    split = Split(parts["train"], parts["valid"], parts["test"])
    return Dataset(log.name, log.catalog, users, likes), split


def brief_text(item: Item) -> str:
    """Title, year and categories of an item."""
    title = item.title if item.year is None else f"{item.title} ({item.year})"
    return f"{title}. {', '.join(item.categories)}." if item.categories else f"{title}."


def learn_requests(
    recommender: Recommender,
    log: RequestLog,
    config: RequestTraining,
    runs: Path,
    *,
    texts: Mapping[str, str] | None = None,
    report: Report = lambda row: None,
) -> dict[str, Any]:
    """Teach a recommender requests: scorers, encoder, and the blend of every strategy.

    Args:
        recommender: with scorers and ranker for people who say nothing; changed in place.
        log: requests over its catalog.
        config: settings.
        runs: folder of the encoder's adapter; one that is there already is used as it is.
        texts: fuller texts of items than the catalog has, by id; only vectors made of them are
            kept.
        report: progress; ``stage`` is ``encoder``, ``texts``, ``head`` or ``blend``.

    Returns:
        Figures of the training, for the manifest.

    Raises:
        DataError: no training request chooses an item of the catalog, or no validation request a
            new one.
    """
    recommender.pipeline.sync()
    items = recommender.item_store
    name = recommender.manifest["encoder"]["name"]
    tower = _Tower(items, name, config.tower, runs, texts, report)
    scorers = recommender.scorers
    encoder = next(s for s in scorers if s.name == "request_encoder")

    def learn(requests: Sequence[RecordedRequest]) -> None:
        encoder.load(tower.learn(requests))
        scorers.fit_requests(requests, items)
        recommender.pipeline.sync()

    tower.learn_encoder(log.train)
    learn(log.train)
    rng = np.random.default_rng([config.seed, 16])
    chosen = rng.permutation(len(log.valid))[: config.blend_requests]
    valid = [log.valid[n] for n in np.sort(chosen).tolist()]
    cases = request_cases(
        recommender,
        valid,
        "prior",
        lambda done, total: report({"stage": "blend", "step": done, "steps": total}),
    )
    if not cases:
        raise DataError(
            f"none of {len(valid)} validation requests chooses a new item of the catalog",
            "the blend is learned from them: give some requests the split valid",
        )
    recommender.ranker.requests = _blends(cases, recommender.ranker.requests, config)
    validation = {
        "cases": len(cases),
        "ndcg@10": blend_ndcg(cases, recommender.ranker.requests["prior"]),
        "popularity_ndcg@10": popularity_ndcg(cases, items.popularity),
    }
    if config.final:
        learn([*log.train, *log.valid])
    return {
        "name": log.name,
        "train": len(log.train),
        "valid": len(log.valid),
        "test": len(log.test),
        "blend_cases": len(cases),
        "validation": validation,
        "settings": asdict(config),
    }


def _blends(
    cases: Sequence[ChoiceCase], held: Mapping[str, RequestBlend], config: RequestTraining
) -> dict[str, RequestBlend]:
    """The blend of every strategy; one for all where the blends at hand do not count."""
    strategies = get_args(Strategy)
    if not config.keep:
        return dict.fromkeys(strategies, fit_request_blend(cases, config.l2))
    l2 = max(config.l2, config.keep / len(cases))
    return {s: fit_request_blend(cases, l2, held.get(s)) for s in strategies}


class _Tower:
    """The request encoder in training: its adapter once, the rest as often as asked."""

    def __init__(
        self,
        items: ItemStore,
        encoder: str,
        config: TowerConfig,
        runs: Path,
        texts: Mapping[str, str] | None,
        report: Report,
    ) -> None:
        self._items, self._name, self._config, self._report = items, encoder, config, report
        self._texts, self._folder = texts or {}, runs / "encoder"
        self._base = Path(models.resolve(encoder))
        self._encoder: CachedEncoder | None = None

    def learn_encoder(self, requests: Sequence[RecordedRequest]) -> None:
        """Train the adapter, unless it is there."""
        if self._config.epochs and not self._adapter_files():
            data = TowerData.of(requests, self._items)
            encoder = AdaptedSentenceEncoder(self._base, self._config)
            report = self._stage("encoder")
            with new_folder(self._folder) as work:  # an interrupted training leaves none
                fit_encoder(encoder, self._head(data), data, self._config, report, work)
        files, tuned = self._adapter_files(), LazyEncoder(str(self._base))
        if files:
            scale = adapter_scale(files["adapter_config.json"])
            tuned = adapted_encoder(self._base, files["adapter.safetensors"], scale)
        self._encoder = CachedEncoder(tuned, cache_dir() / "vectors")

    def learn(self, requests: Sequence[RecordedRequest]) -> dict[str, bytes]:
        """Train everything but the adapter, and return the files of the scorer."""
        data = TowerData.of(requests, self._items)
        head = self._head(data)
        fit_head(head, self._encoded(data.texts), data, self._config, self._stage("head"))
        files = tower_files(head, data, self._items, self._name)
        files |= self._adapter_files()
        return files

    def _adapter_files(self) -> dict[str, bytes]:
        """The adapter as the scorer saves it; nothing if there is none."""
        if not self._config.epochs or not (self._folder / _ADAPTER).is_file():
            return {}
        about = json.loads((self._folder / _CONFIG).read_text(encoding="utf-8"))
        scale = {name: about[name] for name in ("r", "lora_alpha")}  # the rest names folders
        return {
            "adapter.safetensors": (self._folder / _ADAPTER).read_bytes(),
            "adapter_config.json": json.dumps(scale).encode(),
        }

    def _head(self, data: TowerData) -> TowerHead:
        rows = [self._items.rows[i] for i in data.ids]
        own = [self._items.items[row] for row in rows]
        full = [self._texts.get(item.item_id) or item.content_text() for item in own]
        short = [brief_text(item) for item in own]
        counts = np.zeros(len(rows))
        for chosen in data.chosen:
            for item in chosen:
                counts[item] += 1
        encoder = self._items.encoder
        return TowerHead(
            encode_items(encoder, full),
            encode_items(encoder, short),
            np.log(counts + 0.1),
            self._config.dropout,
        )

    def _encoded(self, texts: Sequence[str]) -> Tensor:
        """Vectors of the requests' texts by the tuned encoder, kept in the user's cache."""
        import torch

        assert self._encoder is not None
        queries = [query_text(text) for text in texts]
        new, report = list(dict.fromkeys(queries)), self._stage("texts")
        for start in range(0, len(new), 1024):
            self._encoder.encode(new[start : start + 1024], remember=True)
            report({"step": min(len(new), start + 1024), "steps": len(new)})
        self._encoder.flush()
        return torch.from_numpy(self._encoder.encode(queries))

    def _stage(self, name: str) -> Callable[[dict[str, float]], None]:
        return lambda row: self._report({"stage": name, **row})
