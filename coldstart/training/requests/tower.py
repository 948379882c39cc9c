"""Training of the request encoder: two towers, full softmax over the items that requests name.

score(request, item) = scale · (W_q f(text) + b_q + Σ_named m / √n) · v_item + b_item with
v_item = W c_item + e_item and m_item = W_m c_item + u_item; f is the sentence encoder with a LoRA
adapter and c the item's content vector, both of unit length. The loss is the cross-entropy of the
chosen items under the softmax over all trained items; items that the request mentions are left out
of it. Contrastive training with in-batch negatives (Henderson et al., "Efficient natural language
response suggestion", 2017) compares with the items of one batch; here item vectors need no forward
pass, so every item is a negative at no cost, and popularity is a bias rather than a correction.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from coldstart.errors import ConfigError, DataError
from coldstart.runtime.models import quietly
from coldstart.scoring.request_tower import query_text

if TYPE_CHECKING:
    from pathlib import Path

    from coldstart.catalog.item_store import ItemStore
    from coldstart.data.requests.recorded import RecordedRequest
    from coldstart.protocols import Float

Report = Callable[[dict[str, float]], None]
LIKED, UNSAID, DISLIKED = 1.0, 0.7, 0.2
"""Weight of a chosen item in the loss, by what the person said of it."""
_MENTION_DROPOUT, _ALONE, _SHORT, _COLD = 0.3, 0.1, 0.25, 0.1


@dataclass(frozen=True)
class TowerConfig:
    """Settings.

    Args:
        epochs: with the encoder's adapter; 0: the encoder stays as it is.
        head_epochs: afterwards, of everything but the encoder.
        batch: requests per step of the encoder; twice as many of the rest.
        learning_rate: peak of the adapter.
        head_learning_rate: peak of the item residuals; a quarter of it for the maps.
        weight_decay: of the item residuals.
        dropout: of the query vector.
        rank: of the adapter; alpha is twice the rank.
        longest: tokens of a request.
        bfloat16: compute the encoder's products in bfloat16.
        seed: of everything drawn.

    Raises:
        ConfigError: a number out of range.
    """

    epochs: int = 3
    head_epochs: int = 3
    batch: int = 64
    learning_rate: float = 5e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.1
    dropout: float = 0.3
    rank: int = 16
    longest: int = 96
    bfloat16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 0), ("head_epochs", 0), ("batch", 1), ("rank", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected at least {least}")


class TowerHead(torch.nn.Module):
    """Everything but the sentence encoder, over M trained items.

    Args:
        full: content vectors of the items, shape (M, D).
        short: vectors of their titles and categories alone, which replace a part of ``full`` in
            training, so that items without a description are read as well; shape (M, D).
        log_popularity: log of how often each item was chosen, shape (M,).
        dropout: of the query.
    """

    def __init__(self, full: Float, short: Float, log_popularity: Float, dropout: float) -> None:
        super().__init__()
        size, dim = full.shape
        self.full, self.short = torch.tensor(full), torch.tensor(short)
        self.query = torch.nn.Linear(dim, dim)
        self.item = torch.nn.Linear(dim, dim, bias=False)
        self.mention = torch.nn.Linear(dim, dim, bias=False)
        for linear in (self.query, self.item):
            torch.nn.init.eye_(linear.weight)
        torch.nn.init.zeros_(self.query.bias)
        torch.nn.init.zeros_(self.mention.weight)
        self.residual = torch.nn.Parameter(torch.zeros(size, dim))
        self.mention_residual = torch.nn.Parameter(torch.zeros(size, dim))
        self.bias = torch.nn.Parameter(0.7 * torch.tensor(log_popularity, dtype=torch.float32))
        self.log_scale = torch.nn.Parameter(torch.tensor(2.3))
        self._dropout = dropout

    def items(self) -> Tensor:
        """Item vectors, shape (M, D)."""
        if not self.training:
            return torch.add(self.item(self.full), self.residual)
        size = len(self.residual)
        content = torch.where(torch.rand(size, 1) < _SHORT, self.short, self.full)
        kept = (torch.rand(size, 1) > _COLD).float()
        return torch.add(self.item(content), self.residual * kept)

    def mentions(self) -> Tensor:
        """What each item adds to a query that names it, shape (M, D)."""
        return torch.add(self.mention(self.full), self.mention_residual)

    def forward(self, text: Tensor, named: Sequence[Sequence[int]]) -> Tensor:
        """Logits of every item, shape (B, M).

        Args:
            text: vectors of the requests' texts, shape (B, D).
            named: positions of the items that each request names.
        """
        query = self.query(text)
        pairs = [(n, item) for n, items in enumerate(named) for item in items]
        if pairs:
            row, item = torch.tensor(pairs).T
            size = torch.bincount(row, minlength=len(named)).clamp(min=1).sqrt()
            added = torch.zeros_like(query).index_add(0, row, self.mentions()[item])
            query = query + added / size[:, None]
        query = functional.dropout(query, self._dropout, self.training)
        return torch.add(self.log_scale.exp() * query @ self.items().T, self.bias)


class AdaptedSentenceEncoder:
    """Mean-pooling transformer with a trainable LoRA adapter.

    Args:
        folder: sentence-transformers folder.
        config: settings.
    """

    def __init__(self, folder: Path, config: TowerConfig) -> None:
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModel, AutoTokenizer

        torch.manual_seed(config.seed)
        with quietly():
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, truncation_side="left")
            base = AutoModel.from_pretrained(folder, dtype=torch.float32)
            lora = LoraConfig(
                r=config.rank,
                lora_alpha=2 * config.rank,
                lora_dropout=0.05,
                target_modules="all-linear",
            )
            self.model: Any = get_peft_model(base, lora)
        self._config = config

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors, shape (len(texts), D)."""
        inputs = self._tokenizer(
            [query_text(text) for text in texts],
            padding=True,
            truncation=True,
            max_length=self._config.longest,
            return_tensors="pt",
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=self._config.bfloat16):
            states = self.model(**inputs).last_hidden_state
        mask = inputs["attention_mask"][..., None].float()
        return functional.normalize((states.float() * mask).sum(1) / mask.sum(1), dim=-1)


@dataclass(frozen=True)
class TowerData:
    """Requests as positions among the M trained items.

    Args:
        texts: their words.
        named: items that each one mentions.
        chosen: items chosen for each, with their weights.
        ids: ids of the trained items, shape (M,).
    """

    texts: Sequence[str]
    named: Sequence[Sequence[int]]
    chosen: Sequence[Mapping[int, float]]
    ids: Sequence[str]

    @classmethod
    def of(cls, requests: Sequence[RecordedRequest], items: ItemStore) -> TowerData:
        """Trained items are those of the catalog that some request mentions or chooses.

        Raises:
            DataError: no request chooses an item of the catalog.
        """
        found = {i.item_id for r in requests for i in (*r.chosen, *r.mentioned)}
        ids = [i for i in items.ids if i in found]
        place = {i: n for n, i in enumerate(ids)}
        rows = []
        for request in requests:
            named = [place[m.item_id] for m in request.mentioned if m.item_id in place]
            chosen = {
                place[c.item_id]: _weight(c.liked) for c in request.chosen if c.item_id in place
            }
            if chosen:
                rows.append((request.text, list(dict.fromkeys(named)), chosen))
        if not rows:
            raise DataError(
                "no request chooses an item of the catalog", "check ids, or titles and years"
            )
        texts, named_rows, chosen_rows = zip(*rows, strict=True)
        return cls(texts, named_rows, chosen_rows, ids)


def _weight(liked: bool | None) -> float:
    return UNSAID if liked is None else LIKED if liked else DISLIKED


def loss_of(logits: Tensor, data: TowerData, rows: Sequence[int]) -> Tensor:
    """Cross-entropy of the chosen items, in nats per unit of weight.

    Args:
        logits: shape (B, M).
        data: of which they are the rows ``rows``.
        rows: B of them.
    """
    target, hidden = torch.zeros_like(logits), torch.zeros(logits.shape, dtype=torch.bool)
    for n, row in enumerate(rows):
        hidden[n, data.named[row]] = True
        for item, weight in data.chosen[row].items():
            target[n, item] = weight
    hidden &= target == 0
    log_p = torch.log_softmax(logits.masked_fill(hidden, -1e4), dim=1)
    return -(target * log_p).sum() / target.sum()


def fit_head(
    head: TowerHead, vectors: Tensor, data: TowerData, config: TowerConfig, report: Report
) -> None:
    """Train everything but the encoder on fixed vectors of the requests, shape (R, D)."""
    batch = 2 * config.batch
    steps = config.head_epochs * -(-len(data.texts) // batch)
    optimiser, schedule = _optimiser(head, config, steps)
    rng = random.Random(config.seed)
    torch.manual_seed(config.seed)
    head.train()
    for epoch in range(config.head_epochs):
        order = list(range(len(data.texts)))
        rng.shuffle(order)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            loss = loss_of(head(vectors[rows], _some(data, rows, rng)), data, rows)
            _step(loss, head, optimiser, schedule)
            row = {"epoch": epoch + 1, "epochs": config.head_epochs, "step": start // batch + 1}
            report(row | {"steps": -(-len(order) // batch), "loss": loss.item()})
    head.eval()


def fit_encoder(
    encoder: AdaptedSentenceEncoder,
    head: TowerHead,
    data: TowerData,
    config: TowerConfig,
    report: Report,
    checkpoint: Path | None = None,
) -> None:
    """Train the adapter together with the head; the adapter is saved after every epoch."""
    steps = config.epochs * -(-len(data.texts) // config.batch)
    trained = [p for p in encoder.model.parameters() if p.requires_grad]
    group = {"params": trained, "lr": config.learning_rate, "weight_decay": 0.01}
    optimiser, schedule = _optimiser(head, config, steps, group)
    rng = random.Random(config.seed)
    torch.manual_seed(config.seed)
    started = time.monotonic()
    for epoch in range(config.epochs):
        head.train()
        encoder.model.train()
        order = sorted(
            range(len(data.texts)), key=lambda n: len(data.texts[n]) * rng.uniform(0.8, 1.2)
        )
        batches = [order[n : n + config.batch] for n in range(0, len(order), config.batch)]
        rng.shuffle(batches)
        for step, rows in enumerate(batches, start=1):
            vectors = encoder([data.texts[n] for n in rows])
            loss = loss_of(head(vectors, _some(data, rows, rng)), data, rows)
            _step(loss, head, optimiser, schedule)
            row = {"epoch": epoch + 1, "epochs": config.epochs, "step": step, "steps": len(batches)}
            report(row | {"loss": loss.item(), "seconds": time.monotonic() - started})
        if checkpoint is not None:
            encoder.model.save_pretrained(checkpoint)
    head.eval()


def _some(data: TowerData, rows: Sequence[int], rng: random.Random) -> list[list[int]]:
    """Named titles with dropout, so that words and titles each learn to do without the other."""
    return [
        []
        if rng.random() < _ALONE
        else [item for item in data.named[row] if rng.random() > _MENTION_DROPOUT]
        for row in rows
    ]


def _optimiser(
    head: TowerHead, config: TowerConfig, steps: int, *more: dict[str, Any]
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    residuals = [head.residual, head.mention_residual]
    others = [p for p in head.parameters() if all(p is not r for r in residuals)]
    rate = config.head_learning_rate
    groups = [
        {"params": residuals, "lr": rate, "weight_decay": config.weight_decay},
        {"params": others, "lr": rate / 4, "weight_decay": 0.0},
        *more,
    ]
    optimiser = torch.optim.AdamW(groups)
    peaks = [group["lr"] for group in groups]
    total = max(2, steps + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        peaks,
        total_steps=total,
        pct_start=max(0.1, 1.5 / total),  # a warm-up of no step divides by zero
    )
    return optimiser, schedule


def _step(loss: Tensor, head: TowerHead, optimiser: Any, schedule: Any) -> None:
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(head.parameters(), 5.0)
    optimiser.step()
    schedule.step()
    optimiser.zero_grad()


def tower_files(
    head: TowerHead, data: TowerData, items: ItemStore, encoder: str
) -> dict[str, bytes]:
    """The head as ``RequestTower`` reads it, item vectors in 8 bits.

    Args:
        head: trained.
        data: whose items it was trained on.
        items: of the catalog; the bias of other items follows from their popularity.
        encoder: name of the base encoder.
    """
    from safetensors.numpy import save

    with torch.no_grad():
        rows, mentions = head.items().numpy(), head.mentions().numpy()
        bias = head.bias.numpy()
    arrays: dict[str, Any] = {"bias": bias.astype(np.float32)}
    maps = {"query": head.query.weight, "item": head.item.weight, "mention": head.mention.weight}
    for name, weight in {**maps, "offset": head.query.bias}.items():
        arrays[name] = weight.detach().numpy().astype(np.float16)
    for name, values in {"rows": rows, "mentions": mentions}.items():
        step = np.maximum(np.abs(values).max(axis=1), 1e-12) / 127
        arrays[name] = np.round(values / step[:, None]).astype(np.int8)
        arrays[f"{name}_step"] = step.astype(np.float32)
    popular = items.popularity[[items.rows[i] for i in data.ids]]
    slope = 0.0
    if popular.std() > 0:
        slope = float(np.cov(popular, bias)[0, 1] / popular.var(ddof=1))
    about = {
        "encoder": encoder,
        "scale": head.log_scale.exp().item(),
        "popularity": [float(bias.mean() - slope * popular.mean()), slope],
        "items": list(data.ids),
    }
    return {"tower.json": json.dumps(about).encode(), "tower.safetensors": save(arrays)}
