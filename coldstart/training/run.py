"""Training pipeline: classical blend, language model, ranker weights, artifact."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from coldstart import __version__
from coldstart.artifacts import format as artifacts
from coldstart.artifacts.loading import load_adapted, make_encoder
from coldstart.data.dataset import Dataset
from coldstart.data.named import NAMED
from coldstart.errors import DataError
from coldstart.ranking.ranker import BlendRanker
from coldstart.recommender import Recommender
from coldstart.runtime.cache import write_atomic
from coldstart.runtime.code_fingerprint import outside_source, source_digest
from coldstart.scoring.registry import BUILT_IN, SIGNALS
from coldstart.scoring.scorer import FunctionScorer
from coldstart.settings import Settings, TrainConfig
from coldstart.splitting.user_splits import Split
from coldstart.training.adapter import find_adapter
from coldstart.training.crossfit import learn_classical
from coldstart.training.launcher import apply_launcher, join_processes
from coldstart.training.loop import Trainer
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.ranker import cold_cases, cross_validate, fit_ranker
from coldstart.training.teacher import Teacher

_LEARNING = learn_classical.__module__
Report = Callable[[dict[str, Any]], None]
_PACKAGES = ("coldstart-rec", "torch", "transformers", "peft", "numpy", "tokenizers")


def train(
    data: Dataset,
    split: Split,
    config: TrainConfig,
    out: Path,
    *,
    report: Report | None = None,
    resume: bool = True,
    runs: Path | None = None,
) -> dict[str, Any]:
    """Fine-tune the language model, fit the ranker, and write the artifact folder ``out``.

    Checkpoints and TensorBoard scalars go to ``runs`` (default: ``runs/NAME``), from which an
    interrupted run resumes; ``out`` is written once, at the end.

    Processes started by ``accelerate launch`` or ``torchrun`` share the work of every step; the
    main process alone does the work before and after the steps, and writes.

    Args:
        data: items, attributes, likes.
        split: training and validation users; the test users are not used.
        config: settings.
        out: the artifact folder.
        report: progress callback of the main process; ``stage`` is ``train``, ``epoch``, ``trees``
            or ``ranker``.
        resume: continue from a checkpoint of the same settings and data, if there is one.
        runs: folder of checkpoints and scalars.

    Returns:
        The manifest; empty in processes other than the main one.

    Raises:
        ConfigError: an unsupported launcher setting.
        DataError: no training or validation users.
        ArtifactError: no adapter in ``config.start``.
    """
    for part in ("train", "valid"):
        users = getattr(split, part)
        if not users:
            raise DataError(f"the split has no {part} users", hint="use more users")
        if unknown := [u for u in users if u not in data.likes]:
            raise DataError(f"the split's {part} user {unknown[0]!r} has no likes in the data")
    if config.start:
        find_adapter(Path(config.start))  # before anything that takes minutes
    config = apply_launcher(config)
    processes = join_processes(config)
    notify = report or (lambda row: None)
    place = runs or Path("runs") / out.name
    encoder = make_encoder(config.encoder)
    out_of_fold = OutOfFold(data, split.train, encoder, seed=config.seed)
    cache = place / "classical.json" if resume else None
    classical = processes.broadcast(
        lambda: _classical(data, split, config, out_of_fold, cache, notify)
    )
    teacher = Teacher(out_of_fold, classical, config.likes_share)
    trainer = Trainer(data, split, config, place, teacher, processes)
    if resume:
        trainer.resume()
    if not processes.is_main:
        trainer.run()
        return {}
    with _Scalars(place / "tensorboard") as scalars:

        def log(row: dict[str, Any]) -> None:
            scalars.write(row)
            notify(row)

        trained = trainer.run(log)
    manifest = _manifest(trainer, out.name, trained.history, trained.best_epoch)
    files = artifacts.adapter_files(trained.adapter)
    fingerprint = manifest["base"]["fingerprint"]
    counts, template = trainer.counts, trainer.builder.template
    # A model that was trained in parts may not fit the device as a whole.
    device, dtype = "cpu" if processes.sharded else config.device, trainer.dtype
    del trainer  # its model and optimiser are no longer needed
    lm = load_adapted(config.base, fingerprint, files, device=device, dtype=dtype)
    files["split.json"] = (json.dumps(asdict(split)) + "\n").encode()
    recommender = Recommender(
        data.catalog,
        lm,
        template,
        counts,
        encoder,
        BlendRanker.default(),
        Settings(tau=config.tau, use_prior=config.use_prior),
        manifest=manifest,
        adapter=files,
        scorers=out_of_fold.scorers_of(),
    )
    cases = cold_cases(
        recommender,
        data,
        split.valid,
        seed=config.seed,
        report=lambda done, total: notify({"stage": "ranker", "step": done, "steps": total}),
    )
    recommender.ranker = fit_ranker(cases, classical)
    recommender.manifest["validation"]["ranker_ndcg@10"] = cross_validate(cases, classical)
    recommender.save_pretrained(out)
    return artifacts.read_manifest(out)


def _classical(
    data: Dataset,
    split: Split,
    config: TrainConfig,
    out_of_fold: OutOfFold,
    cache: Path | None,
    notify: Report,
) -> BlendRanker:
    """Fit the classical blend, or load it from an interrupted run of equal inputs."""
    key = hashlib.sha256(
        repr(
            (
                data.fingerprint_with_dislikes,
                split,
                config.seed,
                config.encoder,
                source_digest(_LEARNING),
                *_plugged_in(),
            )
        ).encode()
    ).hexdigest()
    if cache is not None and cache.is_file():
        found = json.loads(cache.read_text(encoding="utf-8"))
        if found["key"] == key:
            return BlendRanker.from_dict(found)
    ranker = learn_classical(
        data,
        split.train,
        out_of_fold,
        seed=config.seed,
        report=lambda done, total: notify({"stage": "trees", "step": done, "steps": total}),
    )
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(cache, json.dumps({"key": key, **ranker.to_dict()}))
    return ranker


def _plugged_in() -> list[tuple[object, ...]]:
    """Declarations and sources of the scorers that are not coldstart's own."""
    made = SIGNALS.make_scorers()[len(BUILT_IN) :]
    code = (s.compute if isinstance(s, FunctionScorer) else type(s) for s in made)
    return [(s.signals, outside_source(c)) for s, c in zip(made, code, strict=True)]


def _manifest(
    trainer: Trainer, name: str, history: list[dict[str, float]], best: int
) -> dict[str, Any]:
    config, data, split = trainer.config, trainer.data, trainer.split
    is_public = data.name in NAMED
    return {
        "name": name,
        "base": {"name": config.base, "fingerprint": trainer.base_fingerprint},
        "encoder": {"name": config.encoder},
        "catalog": {
            "source": data.name if is_public else None,
            "items": len(data.catalog),
            "fingerprint": data.catalog.fingerprint(),
        },
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "users": len(data.likes),
            "likes": sum(map(len, data.likes.values())),
        },
        "split": {"train": len(split.train), "valid": len(split.valid), "test": len(split.test)},
        "training": config.to_dict(),
        "validation": {"best_epoch": best, "history": history},
        "versions": {"python": platform.python_version(), **{p: _version(p) for p in _PACKAGES}},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return __version__ if package == "coldstart-rec" else "unknown"


class _Scalars:
    """Metrics log: JSON lines, and TensorBoard scalars if TensorBoard is installed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lines = folder.parent / "metrics.jsonl"
        try:
            from torch.utils.tensorboard import SummaryWriter

            self._writer: Any = SummaryWriter(str(folder))
        except ImportError:
            self._writer = None

    def __enter__(self) -> _Scalars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()

    def write(self, row: dict[str, Any]) -> None:
        """Log one progress report of the trainer."""
        if row["stage"] == "epoch":
            with self._lines.open("a", encoding="utf-8") as f:
                f.write(json.dumps(row) + "\n")
        if self._writer:
            at = row.get("update", row["epoch"])
            for name, value in row.items():
                if isinstance(value, float):
                    self._writer.add_scalar(f"{row['stage']}/{name}", value, at)
