"""Training sequences: a prompt followed by shuffled liked titles, with their trie decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coldstart.data.dataset import Dataset
from coldstart.generation.models.line_tokenizer import LineTokenizer
from coldstart.generation.trie.trie import TriePlan
from coldstart.prompts import PromptTemplate
from coldstart.schema import Context, UserProfile
from coldstart.settings import TrainConfig, prompt_budget
from coldstart.training.simulation import simulate_profile
from coldstart.training.teacher import Teacher

Floats = NDArray[np.float64]


class Sizes(NamedTuple):
    """Sizes of a batch: titles, states that predict a title token, trie decisions."""

    titles: int
    title_rows: int
    decisions: int


@dataclass(frozen=True)
class SequenceDraft:
    """Random draws of one user's training sequence.

    Args:
        user: user id.
        profile: as in the prompt.
        context: as in the prompt.
        tokens: tokens of the prompt.
        listed: items whose titles follow the prompt.
        taught: positions among them whose decisions have targets.
    """

    user: str
    profile: UserProfile
    context: Context
    tokens: list[int]
    listed: list[str]
    taught: list[int]


@dataclass
class UserSequence:
    """Training sequence of one user.

    Args:
        tokens: prompt and titles.
        title_start: index of the first title token.
        decisions: (position of the deciding state, decision, chosen edge) along the titles.
        soft: target distribution over the edges of each decision.
        titles: number of titles whose decisions have targets.
        untaught: positions of the deciding states of the other titles.
    """

    tokens: list[int]
    title_start: int
    decisions: list[tuple[int, int, int]] = field(default_factory=list)
    soft: list[Floats] = field(default_factory=list)
    titles: int = 0
    untaught: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Batch:
    """Padded sequences of B users, with their R decisions over F edges, flattened.

    Args:
        tokens: shape (B, length), right-padded with 0 (invisible to causal attention).
        row: sequence of each decision's state, shape (R,).
        position: place of each decision's state in its sequence, shape (R,).
        edge: edge of each alternative, shape (F,).
        of: decision of each alternative, shape (F,).
        target: target probability of each alternative, shape (F,); sums to 1 within a decision.
        title_row: sequence of each state that predicts a title token, shape (P,); without those
            that decide between titles, but for the ``completion`` objective.
        title_position: place of each of these states in its sequence, shape (P,).
        title_token: target token of each of these states, shape (P,).
        titles: number of titles in the batch.

    Without users, ``tokens`` is a single padding token without any target.
    """

    tokens: Tensor
    row: Tensor
    position: Tensor
    edge: Tensor
    of: Tensor
    target: Tensor
    title_row: Tensor
    title_position: Tensor
    title_token: Tensor
    titles: int

    @property
    def sizes(self) -> Sizes:
        """Sizes of the flat arrays."""
        return Sizes(self.titles, len(self.title_row), len(self.row))


class SequenceBuilder:
    """Builder of training sequences; deterministic given the random generator."""

    def __init__(
        self,
        data: Dataset,
        titles: dict[str, str],
        plan: TriePlan,
        lines: LineTokenizer,
        template: PromptTemplate,
        teacher: Teacher,
        config: TrainConfig,
        max_tokens: int,
    ) -> None:
        self.data, self.plan, self.lines, self.max_tokens = data, plan, lines, max_tokens
        self.template, self.teacher, self.config = template, teacher, config
        self.titles = titles
        self.place = {item: n for n, item in enumerate(plan.item_ids)}
        # The teacher's items are in catalog order, the plan's items in trie order.
        row = {item: n for n, item in enumerate(teacher.item_ids)}
        self.to_plan = np.array([row[i] for i in plan.item_ids])
        self.ends = np.append(plan.starts, len(plan.edge_token))[1:]
        self.paths: list[list[int]] = [[] for _ in plan.item_ids]
        for edge, (lo, hi) in enumerate(zip(plan.edge_lo, plan.edge_hi, strict=True)):
            for n in range(lo, hi):
                self.paths[n].append(edge)
        parent = plan.edge_position
        depth = np.append(plan.tree_depth, -1)
        self.edge_depth = depth[parent] + 1  # title tokens before the choice
        for path in self.paths:
            path.sort(key=lambda e: self.edge_depth[e])

    def draft(
        self, user: str, tokens_of: dict[str, tuple[int, ...]], rng: np.random.Generator
    ) -> SequenceDraft:
        """Draw a simulated profile of a user and up to ``config.titles`` likes, in random order."""
        likes = self.data.likes[user]
        listed = [likes[i] for i in rng.permutation(len(likes))[: self.config.titles]]
        profile, context = simulate_profile(user, self.data, self.config, rng)
        title_of = self.titles.__getitem__
        prompt = self.template.render(
            profile,
            context,
            title_of=title_of,
            budget=prompt_budget(self.max_tokens),
            count_tokens=self.lines.count,
        )
        tokens = self.lines.encode(prompt.text)
        # A model of few positions sees fewer titles at a time.
        room = self.max_tokens - len(tokens)
        lengths = np.cumsum([len(tokens_of[item]) for item in listed])
        listed = listed[: int(np.searchsorted(lengths, room, side="right"))]
        soft = self.config.objective == "distil"
        taught = self._taught(len(listed), rng) if soft else list(range(len(listed)))
        return SequenceDraft(user, profile, context, tokens, listed, taught)

    def sequence(self, draft: SequenceDraft, tokens_of: dict[str, tuple[int, ...]]) -> UserSequence:
        """Build the sequence of a draft: tokens, decisions along its titles, and their targets."""
        tokens, listed, taught = list(draft.tokens), draft.listed, draft.taught
        soft = self.config.objective == "distil"
        out = UserSequence(tokens, len(tokens), titles=len(taught))
        if soft:
            likes = self.data.likes[draft.user]
            found = self.teacher.targets(
                draft.user, draft.profile, draft.context, listed, likes, taught
            )
            rows = dict(zip(taught, found, strict=True))
        for j, item in enumerate(listed):
            if j not in taught:
                out.untaught |= {
                    len(tokens) - 1 + int(self.edge_depth[e]) for e in self.paths[self.place[item]]
                }
                tokens.extend(tokens_of[item])
                continue
            if soft:
                total = np.concatenate([[0.0], np.cumsum(rows[j][self.to_plan])])
            for edge in self.paths[self.place[item]]:
                decision = int(self.plan.decision_of_edge[edge])
                a, b = int(self.plan.starts[decision]), int(self.ends[decision])
                out.decisions.append((len(tokens) - 1 + int(self.edge_depth[edge]), decision, edge))
                if soft:
                    mass = total[self.plan.edge_hi[a:b]] - total[self.plan.edge_lo[a:b]] + 1e-12
                    out.soft.append(mass / mass.sum())
                else:
                    out.soft.append((np.arange(a, b) == edge).astype(float))
            tokens.extend(tokens_of[item])
        return out

    def _taught(self, titles: int, rng: np.random.Generator) -> list[int]:
        """Sample the positions in a list of titles that get targets, the teacher being slow."""
        first = list(range(min(2, titles, self.config.taught)))
        rest = rng.permutation(np.arange(len(first), titles))[: self.config.taught - len(first)]
        return sorted([*first, *rest.tolist()])

    def batch(
        self,
        users: Sequence[str],
        tokens_of: dict[str, tuple[int, ...]],
        rng: np.random.Generator,
        mine: range | None = None,
    ) -> Batch:
        """Build, pad and flatten the sequences of several users.

        Args:
            users: all users of the global batch; each consumes random numbers of ``rng``.
            tokens_of: tokens of each item's title.
            rng: random generator.
            mine: positions of the users of this process; ``None``: all.
        """
        drafts = [self.draft(u, tokens_of, rng) for u in users]
        wanted = drafts if mine is None else [drafts[n] for n in mine]
        rows = [self.sequence(draft, tokens_of) for draft in wanted]
        longest = max((len(r.tokens) for r in rows), default=1)
        tokens = torch.zeros(max(1, len(rows)), longest, dtype=torch.long)
        where: list[tuple[int, int]] = []
        edges: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        targets: list[Floats] = [np.empty(0)]
        titles: list[tuple[int, int, int]] = []
        for r, row in enumerate(rows):
            tokens[r, : len(row.tokens)] = torch.tensor(row.tokens)
            where += [(r, position) for position, _, _ in row.decisions]
            for (_, decision, _), soft in zip(row.decisions, row.soft, strict=True):
                edges.append(np.arange(self.plan.starts[decision], self.ends[decision]))
                targets.append(soft)
            deciding = {position for position, _, _ in row.decisions} | row.untaught
            if self.config.objective == "completion":
                deciding = set()
            predicting = range(row.title_start - 1, len(row.tokens) - 1)
            titles += [(r, p, row.tokens[p + 1]) for p in predicting if p not in deciding]
        places = torch.tensor(where, dtype=torch.long).reshape(-1, 2)
        spots = torch.tensor(titles, dtype=torch.long).reshape(-1, 3)
        sizes = torch.tensor([len(e) for e in edges[1:]], dtype=torch.long)
        return Batch(
            tokens=tokens,
            row=places[:, 0],
            position=places[:, 1],
            edge=torch.from_numpy(np.concatenate(edges)),
            of=torch.repeat_interleave(torch.arange(len(sizes)), sizes),
            target=torch.from_numpy(np.concatenate(targets)).float(),
            title_row=spots[:, 0],
            title_position=spots[:, 1],
            title_token=spots[:, 2],
            titles=sum(r.titles for r in rows),
        )
