"""Train an artifact on recorded requests, and on interactions for profiles without a text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from coldstart.artifacts import format as artifacts
from coldstart.artifacts.loading import load_later, make_encoder
from coldstart.data.named import NAMED
from coldstart.data.requests.matching import match_items, onto
from coldstart.errors import DataError
from coldstart.ranking.ranker import BlendRanker
from coldstart.recommender import Recommender
from coldstart.runtime import models
from coldstart.runtime.cache import new_folder
from coldstart.schema import Strategy
from coldstart.scoring.registry import SIGNALS
from coldstart.settings import Settings
from coldstart.training.crossfit import learn_classical
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.requests.run import RequestTraining, dialogues_as_users, learn_requests

if TYPE_CHECKING:
    from coldstart.data.dataset import Dataset
    from coldstart.data.requests.recorded import RequestLog
    from coldstart.schema import Item
    from coldstart.splitting.user_splits import Split

Report = Callable[[dict[str, Any]], None]


def train_requests(
    log: RequestLog,
    start: Path,
    out: Path,
    config: RequestTraining,
    *,
    data: tuple[Dataset, Split] | None = None,
    runs: Path | None = None,
    report: Report = lambda row: None,
) -> dict[str, Any]:
    """Train everything that reads requests, and write the artifact folder ``out``.

    Args:
        log: recorded requests; over another catalog they are matched by title and year.
        start: artifact whose language model, prompt, encoder and settings are taken over.
        out: the artifact folder.
        config: settings.
        data: interactions and their split, for what people who say nothing are shown; ``None``:
            the dialogues of the training requests.
        runs: folder of finished adapters, which a run that was interrupted later uses again;
            ``None``: ``runs/NAME``.
        report: progress callback.

    Returns:
        The manifest.

    Raises:
        DataError: no request, or none whose items are in the catalog.
        ArtifactError: ``start`` is no artifact.
    """
    place = runs or Path("runs") / out.name
    source = log.catalog
    if data is None:
        interactions, split = dialogues_as_users(log)
    else:
        interactions, split = data
        log = onto(log, interactions.catalog)
    recommender = _without_requests(
        interactions, split, start, out.name, data is not None, config, place, report
    )
    learned = learn_requests(
        recommender,
        log,
        config,
        place,
        texts=fuller_texts(source, match_items(source, interactions.catalog)),
        report=report,
    )
    recommender.manifest["requests"] = learned
    recommender.save_pretrained(out)
    return artifacts.read_manifest(out)


def fuller_texts(source: Any, match: dict[str, str]) -> dict[str, str]:
    """Text of every matched item by the source catalog: description and people included.

    Args:
        source: catalog of the requests.
        match: its item ids → those of the catalog in use.
    """
    return {ours: item_text(source[theirs]) for theirs, ours in match.items()}


def item_text(item: Item) -> str:
    """All that an item's fields say, as one text."""
    year = f" ({item.year})" if item.year is not None else ""
    people = [
        f"{name.replace('_', ' ').capitalize()}: {', '.join(value.split('|')[:3])}"
        for name, value in item.attributes.items()
    ]
    parts = (f"{item.title}{year}", ", ".join(item.categories), item.description.rstrip("."))
    return ". ".join(p for p in (*parts, *people) if p)


def _without_requests(
    data: Dataset,
    split: Split,
    start: Path,
    name: str,
    trees: bool,
    config: RequestTraining,
    place: Path,
    report: Report,
) -> Recommender:
    """A recommender for people who say nothing, fitted on the training users."""
    earlier = artifacts.load(start)
    base, encoder_name = earlier.manifest["base"], earlier.manifest["encoder"]["name"]
    adapter = {n: d for n, d in earlier.files.items() if n.startswith("adapter/")}
    if config.reading_epochs:
        adapter = _taught_to_read(start, base["name"], data, config, place, report)
    out_of_fold = OutOfFold(data, split.train, make_encoder(encoder_name))
    ranker = BlendRanker.default()
    if trees:
        classical = learn_classical(
            data,
            split.train,
            out_of_fold,
            report=lambda done, total: report({"stage": "trees", "step": done, "steps": total}),
        )
        fixed = classical.table("prior")
        # Judging titles had no share that could be told from noise: `catalog` leaves it out, and
        # `free` and `both` keep the default weight of what is written.
        table = {s: fixed | _written(s) for s in get_args(Strategy)}
        ranker = BlendRanker(table, classical.trees, classical.favourites)
    lm = load_later(base["name"], base["fingerprint"], adapter, device="auto", dtype="auto")
    kept = ("base", "encoder", "training", "versions")
    manifest = {key: earlier.manifest[key] for key in kept if key in earlier.manifest}
    settings = Settings.from_dict(earlier.manifest["settings"])
    manifest |= {
        "name": name,
        "started_from": earlier.manifest.get("name", start.name),
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "users": len(data.likes),
            "likes": sum(map(len, data.likes.values())),
        },
        "split": {"train": len(split.train), "valid": len(split.valid), "test": len(split.test)},
        "catalog": {
            "source": data.name if data.name in NAMED else None,
            "items": len(data.catalog),
            "fingerprint": data.catalog.fingerprint(),
        },
    }
    return Recommender(
        data.catalog,
        lm,
        earlier.template,
        out_of_fold.everyone.counts,
        make_encoder(encoder_name),
        ranker,
        replace(settings, reads=settings.reads or config.reading_epochs > 0),
        manifest=manifest,
        adapter=adapter | {"split.json": (json.dumps(asdict(split)) + "\n").encode()},
        scorers=out_of_fold.scorers_of(),
    )


def _written(strategy: str) -> dict[str, tuple[float, float]]:
    """Default weights of the titles that a strategy writes."""
    weights = SIGNALS.weights(strategy)
    return {name: weights[name] for name in ("written",) if name in weights}


def _taught_to_read(
    start: Path, base: str, data: Dataset, config: RequestTraining, place: Path, report: Report
) -> dict[str, bytes]:
    """Files of the language model's adapter after teaching; one that is there is used as it is."""
    from coldstart.training.adapter import earlier_adapter
    from coldstart.training.reading.corpus import CATEGORIES, VALID_WISHES, load_wishes
    from coldstart.training.reading.run import ReadingConfig, teach_reading

    folder = place / "reading"
    known = {c for item in data.catalog for c in item.categories}
    if unknown := set(CATEGORIES) - known:
        raise DataError(
            f"sentences that teach reading are about films; the catalog lacks {sorted(unknown)}",
            hint="leave reading out: --reading-epochs 0",
        )
    if not (folder / "adapter_model.safetensors").is_file():
        tokenizer, model = models.load_tokenizer(base), models.load_causal_lm(base, device="cpu")
        model.set_attn_implementation("eager")
        adapted = earlier_adapter(model, start, models.fingerprint(model, tokenizer))
        with new_folder(folder) as work:  # an interrupted teaching leaves nothing to resume from
            teach_reading(
                adapted,
                tokenizer,
                CATEGORIES,
                load_wishes(),
                load_wishes(VALID_WISHES),
                work / "best",
                ReadingConfig(epochs=config.reading_epochs, seed=config.seed),
                lambda row: report({"stage": "reading", **row}),
            )
            for file in sorted((work / "best").iterdir()):
                file.rename(work / file.name)
            (work / "best").rmdir()
    return artifacts.adapter_files(folder)
