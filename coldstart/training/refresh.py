"""Refresh an artifact: learn from the likes and requests of a running service, or of small tables.

Counts always follow. Everything else is learned only where there is enough data for it to pay
(``worth``), and kept only if it ranks better for users who are held out from it; otherwise that
part of the artifact stays. The language model and its adapter are those of the artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.artifacts import format as artifacts
from coldstart.interactions.interaction_stats import EARLY, UNORDERED, Counts
from coldstart.interactions.live_counts import LiveCounts
from coldstart.ranking.ranker import BlendRanker
from coldstart.recommender import Recommender
from coldstart.scoring.evidence import EvidenceScorer
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorers import Scorers
from coldstart.training.comparison import Comparison, descriptions, request_ndcg, taste_ndcg
from coldstart.training.crossfit import learn_classical
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.refreshed import KEY, own_amount, refuse_refreshed
from coldstart.training.requests.run import RequestTraining, learn_requests
from coldstart.training.requests.tower import TowerConfig
from coldstart.training.worth import Amount, LearnedPart, Verdict, verdicts

if TYPE_CHECKING:
    from coldstart.artifacts.loading import RecommenderParts
    from coldstart.data.dataset import Dataset
    from coldstart.data.requests.recorded import RequestLog
    from coldstart.splitting.user_splits import Split

Report = Callable[[dict[str, Any]], None]
_OPENING = "opening"  # the signal of what a person of whom nothing is known sees first
_HEAD_STEPS = 200  # of the request encoder's head, at least: few requests are seen more often


@dataclass(frozen=True)
class RefreshConfig:
    """Settings.

    Args:
        everything: learn every part, whatever the amount of data; it is still kept only if it ranks
            better.
        requests: settings of learning from requests; the encoder stays as it is by default, which
            takes seconds instead of minutes.
        seed: of everything drawn.
    """

    everything: bool = False
    requests: RequestTraining = field(
        default_factory=lambda: RequestTraining(tower=TowerConfig(epochs=0), keep=50.0)
    )
    seed: int = 0


def refresh(
    parts: RecommenderParts,
    data: Dataset,
    split: Split,
    out: Path,
    *,
    log: RequestLog | None = None,
    config: RefreshConfig | None = None,
    made: str = "",
    store: str = "",
    runs: Path | None = None,
    report: Report = lambda row: None,
) -> dict[str, Any]:
    """Learn what pays on top of an artifact, and write the new artifact folder ``out``.

    Args:
        parts: the artifact, not one that was refreshed before.
        data: likes over its catalog; may have no users.
        split: users to train and to validate; ``test`` users are counted, too, at the end.
        out: folder of the new artifact.
        log: requests over its catalog; their validation part fits the blend, their test part
            decides whether it is kept.
        config: settings.
        made: how, for the model card.
        store: identity of the store that the data are from; its services count likes themselves.
        runs: folder of intermediate results; by default ``runs/NAME``.
        report: progress callback; ``stage`` is ``trees``, ``compare``, or as in ``learn_requests``.

    Returns:
        The manifest; its field ``refreshed`` has the verdict on every part, and the comparisons.

    Raises:
        DataError: the artifact was refreshed before.
    """
    refuse_refreshed(parts)
    chosen = config or RefreshConfig()
    work = _Refresh(parts, data, split, chosen, report)
    recommender = work.with_taste()
    if log is not None:
        recommender = work.with_requests(recommender, log, runs or Path("runs") / out.name)
    final = work.final(recommender, out.name, log)
    if made:
        final.manifest["made"] = made
    if store:
        final.manifest[KEY]["store"] = store
    final.save_pretrained(out)
    return artifacts.read_manifest(out)


def enough_steps(settings: RequestTraining, requests: int) -> RequestTraining:
    """Settings with as many epochs of the head as make ``_HEAD_STEPS`` steps.

    Args:
        settings: of many requests.
        requests: number of training requests.
    """
    steps = max(1, -(-requests // (2 * settings.tower.batch)))
    epochs = max(settings.tower.head_epochs, -(-_HEAD_STEPS // steps))
    return replace(settings, tower=replace(settings.tower, head_epochs=epochs))


def _without_evidence(recommender: Recommender) -> dict[str, bytes]:
    """Files of the scorers without the observed likes, whose users they do not name."""
    start = f"scorers/{EvidenceScorer.name}/"
    return {n: d for n, d in recommender.scorers.save().items() if not n.startswith(start)}


class _Refresh:
    """State of one refresh."""

    def __init__(
        self,
        parts: RecommenderParts,
        data: Dataset,
        split: Split,
        config: RefreshConfig,
        report: Report,
    ) -> None:
        self.parts, self.data, self.split, self.config = parts, data, split, config
        self.report, self.own = report, own_amount(parts)
        self.verdicts: dict[LearnedPart, Verdict] = {}
        self.comparisons: dict[str, Comparison] = {}
        self.popularity: float | None = None
        self.seed, self._alone = config.seed, False

    def with_taste(self) -> Recommender:
        """The recommender for people who say nothing, counted on training users only."""
        users, likes = self.split.train, sum(map(len, self.data.likes.values()))
        self.verdicts |= verdicts(Amount(len(self.data.likes), likes), self.own)
        kept = self._recommender(self._counts(users), self.parts.ranker, self._scorers(users))
        self._observe(kept, users)
        if not (self.verdicts["trees"].pays or self.config.everything) or not users:
            return kept
        new = self._learned(users)
        valid = [*self.split.valid, *self.split.test]
        alone = BlendRanker({s: {"popularity": (1.0, 0.0)} for s in new.ranker.strategies})
        popular = self._recommender(new.counts, alone, new.scorers)
        found = []
        for n, rival in enumerate((kept, new, popular)):
            self.report({"stage": "compare", "step": n, "steps": 3})
            found.append(taste_ndcg(rival, self.data, valid, seed=self.seed))
        self.report({"stage": "compare", "step": 3, "steps": 3})
        self.comparisons["trees"] = Comparison.of(*found[:2])
        if found[2]:
            self.popularity = sum(found[2].values()) / len(found[2])
        self._alone = self.comparisons["trees"].better
        return new if self._alone else kept

    def with_requests(self, recommender: Recommender, log: RequestLog, runs: Path) -> Recommender:
        """The same with what requests teach, if there are enough and it helps."""
        amount = Amount(requests=len(log.train) + len(log.valid) + len(log.test))
        verdict = verdicts(amount, Amount(requests=self.own.requests))["requests"]
        self.verdicts["requests"] = verdict
        if not (verdict.pays or self.config.everything) or not (log.train and log.valid):
            return recommender
        described = descriptions(self.data.catalog, seed=self.seed)
        before = request_ndcg(recommender, log.test), request_ndcg(recommender, described)
        new = self._recommender(
            recommender.counts,
            BlendRanker.from_dict(recommender.ranker.to_dict()),
            Scorers.of_artifact(recommender.ranker.signals, _without_evidence(recommender)),
        )
        self._observe(new, self.split.train)
        settings = enough_steps(self.config.requests, len(log.train))
        learned = learn_requests(new, log, settings, runs, report=self.report)
        found = Comparison.of(before[0], request_ndcg(new, log.test))
        kept = Comparison.of(before[1], request_ndcg(new, described))
        found = replace(found, refused=kept.loses)
        self.comparisons |= {"requests": found, "descriptions": kept}
        if not found.better:
            return recommender
        new.manifest["requests"] = learned
        return new

    def final(self, recommender: Recommender, name: str, log: RequestLog | None) -> Recommender:
        """The recommender with the counts of everyone, and the manifest."""
        everyone = [*self.split.train, *self.split.valid, *self.split.test]
        counts = self._counts(everyone)
        if not self.own.users:
            recommender.scorers.fit(self.data, everyone)
        out = self._recommender(counts, recommender.ranker, recommender.scorers)
        self._observe(out, everyone)
        requests = log and len(log.train) + len(log.valid) + len(log.test)
        likes = sum(map(len, self.data.likes.values()))
        out.manifest |= {
            "name": name,
            "requests": recommender.manifest.get("requests"),
            KEY: {
                "artifact": self.parts.manifest.get("name", ""),
                "data": self.data.name,
                "users": len(self.data.likes),
                "likes": likes,
                "requests": requests or 0,
                "parts": [v.to_dict() for v in self.verdicts.values()],
                "comparisons": {n: c.to_dict() for n, c in self.comparisons.items()},
                "popularity": None if self.popularity is None else round(self.popularity, 4),
            },
        }
        if not out.manifest["requests"]:
            del out.manifest["requests"]
        if not self.own.users and self.data.likes:
            out.manifest["split"] = {
                "train": len(self.split.train),
                "valid": len(self.split.valid) + len(self.split.test),
                "test": 0,
            }
            out.manifest["data"] = {
                "name": self.data.name,
                "fingerprint": self.data.fingerprint,
                "users": len(self.data.likes),
                "likes": likes,
            }
        return out

    def _learned(self, users: Sequence[str]) -> Recommender:
        """A blend with trees, learned from the data alone."""
        out_of_fold = OutOfFold(self.data, users, self.parts.encoder, seed=self.seed)
        classical = learn_classical(
            self.data,
            users,
            out_of_fold,
            seed=self.seed,
            report=lambda done, total: self.report(
                {"stage": "trees", "step": done, "steps": total}
            ),
        )
        table = {s: classical.table("prior") | self._held(s) for s in self.parts.ranker.strategies}
        ranker = BlendRanker(
            table, classical.trees, classical.favourites, self.parts.ranker.requests
        )
        scorers = out_of_fold.scorers_of() if self.own.users else self._scorers(users)
        return self._recommender(out_of_fold.everyone.counts, ranker, scorers)

    def _held(self, strategy: str) -> dict[str, tuple[float, float]]:
        """The artifact's weights of what is not learned here: language models, opening list."""
        held = {*SIGNALS.learned_late(strategy), _OPENING}
        return {n: w for n, w in self.parts.ranker.table(strategy).items() if n in held}

    def _counts(self, users: Sequence[str]) -> Counts:
        """Counts of some users, and of the artifact's own unless its blend was replaced."""
        first = EARLY if self.data.ordered else UNORDERED
        if self._alone:
            people = {u: self.data.users[u] for u in users}
            return Counts.fit(self.data.catalog.ids, people, self.data.likes, first=first)
        live = LiveCounts(self.parts.counts, first=first)
        known = set(self.parts.counts.item_ids)
        live.add_items([i for i in self.data.catalog.ids if i not in known])
        for user in users:
            live.add_user(user, self.data.users[user], self.data.likes[user])
        return live.counts()

    def _scorers(self, users: Sequence[str]) -> Scorers:
        """Scorers with the artifact's state, or fitted on the users if it has no users."""
        scorers = Scorers.of_artifact(self.parts.ranker.signals, self.parts.adapter)
        if not self.own.users:
            scorers.fit(self.data, users)
        return scorers

    def _observe(self, recommender: Recommender, users: Sequence[str]) -> None:
        """Have the recommender count likes as a service does, if they change its lists."""
        if recommender.grows:
            for user in users:
                recommender.observe(user, *self.data.likes[user])

    def _recommender(self, counts: Counts, ranker: BlendRanker, scorers: Scorers) -> Recommender:
        parts = replace(
            self.parts, counts=counts, ranker=ranker, manifest=dict(self.parts.manifest)
        )
        return Recommender(**vars(parts), scorers=scorers)
