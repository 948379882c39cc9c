"""Evaluation of onboarding quizzes: NDCG by number of questions, answered from held-out ratings.

Two protocols, since a question about a famous film takes away an easy target:

- ``halves``: the catalog is cut in two at random. Questions are about one half, lists and targets
  from the other; then the other way round, and the mean of both is the user's value. Every quiz and
  every number of questions has the same targets, so that figures can be compared.
- ``rest``: questions about any item; its items are then neither candidates nor targets. So a quiz
  that finds a user's favourites has fewer and harder targets left than one that does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.registry import baselines
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.cases import MIN_TARGETS, cut
from coldstart.evaluation.recommender_adapter import PriorSystem
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import (
    Difference,
    bootstrap_interval,
    paired_bootstrap,
)
from coldstart.protocols import Filter
from coldstart.ranking.filters import Known, Where
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.cache import write_atomic
from coldstart.scoring.scorers import Scorers
from coldstart.session import OnboardingSession, Question
from coldstart.splitting.user_splits import Split, shuffled_ids
from coldstart.training.simulation import top_categories

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

Protocol = Literal["halves", "rest"]
Values = dict[tuple[str, int], dict[str, float]]
"""By quiz and number of questions, each user's NDCG@10."""


def fitted(data: Dataset, split: Split, work: Path | None = None, seed: int = 0) -> Recommender:
    """The recommender without a language model, learned from the training users.

    Args:
        data: the likes.
        split: gives the training users.
        work: a folder where the ranker is kept, which takes minutes to learn; a later call with the
            same data, training users and seed reads it.
        seed: of the training.
    """
    from coldstart import prompts
    from coldstart.artifacts.loading import make_encoder
    from coldstart.recommender import Recommender
    from coldstart.runtime import models

    training = TrainingData.of(data, split.train)
    said = json.dumps([data.fingerprint, split.train, seed]).encode()
    path = work and work / f"ranker-{data.name}-{hashlib.sha256(said).hexdigest()[:16]}.json"
    if path and path.is_file():
        ranker = BlendRanker.from_dict(json.loads(path.read_text(encoding="utf-8")))
        encoder = make_encoder(models.DEFAULT_ENCODER)
        template = prompts.load(prompts.DEFAULT)
        scorers = Scorers()
        scorers.fit(data, split.train)
        return Recommender(
            data.catalog, None, template, training.counts, encoder, ranker, scorers=scorers
        )
    build = baselines()["coldstart_prior"].build
    made = build(training, split, data, seed=seed)
    if not isinstance(made, PriorSystem):
        raise ConfigError(f"expected a recommender, got {type(made).__name__}")
    if path:
        write_atomic(path, json.dumps(made.recommender.ranker.to_dict()))
    return made.recommender


class SimulatedUser:
    """Simulated user: answers questions from a held-out user's likes and low ratings.

    Args:
        data: the ratings.
        user: id of the held-out user.
        hidden: items with ratings that are not revealed.
    """

    def __init__(self, data: Dataset, user: str, hidden: frozenset[str] = frozenset()) -> None:
        self._catalog = data.catalog
        self._likes = [i for i in data.likes[user] if i not in hidden]
        self._dislikes = set(data.dislikes.get(user, ())) - hidden

    def answer(self, question: Question) -> str | tuple[str, ...]:
        """Answer a question from the ratings.

        Items: a like, a dislike, or "unknown" for all others, middling ratings among them, which a
        dataset does not keep. Of two liked items the one liked first; "neither" only if both were
        rated low. Categories: up to three that stand out among the likes.
        """
        if question.kind == "categories":
            wanted = top_categories(self._catalog, self._likes)
            return tuple(c.value for c in question.choices if c.value in wanted)
        liked = [i for i in self._likes if i in question.items]
        low = self._dislikes.issuperset(question.items)
        if question.kind == "pair":
            if liked:
                return "a" if liked[0] == question.items[0] else "b"
            return "neither" if low else "unknown"
        return "like" if liked else "dislike" if low else "unknown"


def quiz_values(
    recommender: Recommender,
    data: Dataset,
    users: Sequence[str],
    quizzes: Sequence[str],
    questions: Sequence[int],
    *,
    protocol: Protocol = "halves",
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> Values:
    """NDCG@10 of held-out users after some numbers of questions.

    A user starts with their attributes. Users that could have fewer than 5 targets are left out.

    Args:
        recommender: trained without the users; its strategy is ``prior``.
        data: their ratings.
        users: held-out users.
        quizzes: names.
        questions: numbers of questions, at least 0.
        protocol: see the module.
        seed: of the halves and of the quizzes.
        report: called with (done, total) after each user.

    Raises:
        ConfigError: a number of questions below 0, or no user is left.
    """
    if not questions or min(questions) < 0:
        raise ConfigError(f"questions are {list(questions)}", hint="numbers from 0 on")
    mixed = shuffled_ids(data.catalog.ids, seed)
    half = frozenset(mixed[: len(mixed) // 2])
    other = frozenset(mixed) - half
    deepest = max(questions)
    if protocol == "halves":
        worlds = [(half, other), (other, half)]
        chosen = [u for u in users if all(_fits(data, u, w[1], 0) for w in worlds)]
    else:
        everything = frozenset(mixed)
        worlds = [(everything, everything)]
        chosen = [u for u in users if _fits(data, u, everything, 2 * deepest)]
    if not chosen:
        raise ConfigError("no user has enough likes", hint="ask fewer questions, or other users")
    out: Values = {(quiz, n): {} for quiz in quizzes for n in questions}
    for done, user in enumerate(chosen, start=1):
        for askable, shown in worlds:
            trial = _QuizRun(recommender, data, user, askable, shown, questions, seed)
            for quiz in quizzes:
                for n, value in trial.run(quiz).items():
                    mine = out[quiz, n]
                    mine[user] = mine.get(user, 0.0) + value / len(worlds)
        if report:
            report(done, len(chosen))
    return out


@dataclass(frozen=True)
class QuizRow:
    """Metrics of one quiz after one number of questions.

    Args:
        quiz: its name.
        questions: number of questions.
        users: number of users.
        mean: of their NDCG@10.
        low: lower end of its 95 % bootstrap interval.
        high: upper end.
        gain: difference to the same people after as many questions of the control.
    """

    quiz: str
    questions: int
    users: int
    mean: float
    low: float
    high: float
    gain: Difference | None


def summarise(values: Values, control: str = "random", seed: int = 0) -> list[QuizRow]:
    """Mean and interval of every quiz and number of questions, and the difference to the control.

    Args:
        values: from ``quiz_values``.
        control: the quiz to compare with; no differences if it is not among them.
        seed: of the bootstrap.
    """
    rows = []
    for (quiz, n), by_user in values.items():
        low, high = bootstrap_interval(list(by_user.values()), seed)
        baseline = values.get((control, n))
        gain = paired_bootstrap(by_user, baseline, seed) if baseline and quiz != control else None
        mean = sum(by_user.values()) / len(by_user)
        rows.append(QuizRow(quiz, n, len(by_user), mean, low, high, gain))
    return rows


def as_json(rows: Sequence[QuizRow]) -> list[dict[str, object]]:
    """Rows as plain data."""
    return [asdict(row) for row in rows]


def markdown(rows: Sequence[QuizRow]) -> str:
    """A table: a line for each quiz, a column for each number of questions."""
    numbers = list(dict.fromkeys(row.questions for row in rows))
    found: Mapping[tuple[str, int], QuizRow] = {(r.quiz, r.questions): r for r in rows}
    lines = [
        "| NDCG@10, questions: | " + " | ".join(map(str, numbers)) + " |",
        "|" + "---|" * (len(numbers) + 1),
    ]
    for quiz in dict.fromkeys(row.quiz for row in rows):
        cells = []
        for n in numbers:
            row = found[quiz, n]
            cells.append(f"{row.mean:.3f} ± {(row.high - row.low) / 2:.3f}")
        lines.append(f"| {quiz} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


class _QuizRun:
    """One user in one half of the catalog; lists for equal profiles are made once."""

    def __init__(
        self,
        recommender: Recommender,
        data: Dataset,
        user: str,
        askable: frozenset[str],
        shown: frozenset[str],
        questions: Sequence[int],
        seed: int,
    ) -> None:
        self._recommender, self._seed = recommender, seed
        self._apart = not askable & shown
        self._askable, self._questions = askable, sorted(set(questions))
        self._start = data.users[user]
        self._person = SimulatedUser(data, user, shown if self._apart else frozenset())
        self._targets = shown.intersection(data.likes[user])
        self._filters: tuple[Filter, ...] = (
            Known(),
            Where(lambda item: item.item_id in shown, "half", "is asked about"),
        )
        self._lists: dict[str, list[str]] = {}

    def run(self, quiz: str) -> dict[int, float]:
        """NDCG@10 after each number of questions; a quiz that ends early keeps its last value."""
        session = OnboardingSession(
            self._recommender, quiz=quiz, askable=self._askable, seed=self._seed
        ).with_profile(self._start)
        out, put = {}, 0
        asked: set[str] = set()
        for n in self._questions:
            while put < n and (question := session.next_question()):
                session = session.answer(question.question_id, self._person.answer(question))
                asked.update(question.items)
                put += 1
            gone = frozenset() if self._apart else asked
            best = cut(self._ranked(session), gone, 10)
            out[n] = ndcg(best, self._targets - gone, 10)
        return out

    def _ranked(self, session: OnboardingSession) -> list[str]:
        key = session.profile.model_dump_json()
        if key not in self._lists:
            k = 10 + 2 * max(self._questions) * (not self._apart)
            made = session.recommend(
                k, filters=self._filters, strategy="prior", near_duplicates=True
            )
            self._lists[key] = made.item_ids
        return self._lists[key]


def _fits(data: Dataset, user: str, items: frozenset[str], asked: int) -> bool:
    return len(items.intersection(data.likes[user])) >= MIN_TARGETS + asked
