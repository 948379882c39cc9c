"""Teaching a language model to read: its loss is the reader's, and it falls."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from peft import PeftModel

from coldstart.errors import ConfigError, DataError
from coldstart.generation.models.causal import CausalLM
from coldstart.generation.reading import NOTHING, LanguageModelReader, question_tree
from coldstart.runtime import models
from coldstart.settings import TrainConfig
from coldstart.training.adapter import new_adapter
from coldstart.training.reading.corpus import LabelledWish
from coldstart.training.reading.frozen_layers import FrozenLayers
from coldstart.training.reading.run import ReadingConfig, ReadingLoss, targets_of, teach_reading
from tests.fakes_lm import tiny_gpt2, tiny_llama
from tests.toy import save_tiny_base

CATEGORIES = ("Comedy", "Crime", "Drama", "Sci-Fi", "Western")
TREE = question_tree(tiny_llama().lines, CATEGORIES)
WISHES = (
    LabelledWish("make me laugh", wants=("Comedy",)),
    LabelledWish("robots, but nothing sad", wants=("Sci-Fi",), rejects=("Drama",)),
    LabelledWish("cowboys or gangsters for my son", fits=("Western", "Crime"), age=9),
    LabelledWish("surprise me"),
)
QUICK = ReadingConfig(epochs=12, batch=2, learning_rate=0.03, frozen_layers=0.5)


@pytest.fixture
def model(tmp_path):
    """A fresh tiny Llama with an adapter."""
    base = models.load_causal_lm(save_tiny_base(tmp_path / "base"), device="cpu")
    base.set_attn_implementation("eager")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return new_adapter(base, TrainConfig(lora_rank=4))


def of_plan(name, values):
    return dict(zip(TREE.plans[name].item_ids, values.tolist(), strict=True))


def test_targets_are_distributions_that_say_what_the_label_says():
    for wish in WISHES:
        for name, values in targets_of(wish, TREE).items():
            assert values.sum() == pytest.approx(1), name
            assert values.min() >= 0
    laugh, robots, cowboys, surprise = (
        {n: of_plan(n, v) for n, v in targets_of(w, TREE).items()} for w in WISHES
    )
    assert laugh["wanted"]["Comedy"] == 1
    assert robots["avoided"]["Drama"] == 1
    assert laugh["avoided"][NOTHING] == laugh["audience"]["anyone"] == 1
    assert cowboys["wanted"] == pytest.approx(
        {"Western": 0.3, "Crime": 0.3, NOTHING: 0.4, "Comedy": 0, "Drama": 0, "Sci-Fi": 0}
    )
    assert cowboys["audience"]["children"] == 1
    assert surprise["wanted"][NOTHING] == 1


@pytest.mark.parametrize(
    ("age", "audience"),
    [(None, "anyone"), (0, "small children"), (5, "small children"), (9, "children"),
     (13, "teenagers"), (17, "teenagers"), (18, "anyone"), (80, "anyone")],
)  # fmt: skip
def test_the_audience_follows_from_the_age(age, audience):
    assert (
        of_plan("audience", targets_of(LabelledWish("x", age=age), TREE)["audience"])[audience] == 1
    )


@pytest.mark.parametrize("frozen", [0, 1])
def test_the_loss_is_the_cross_entropy_under_the_reader(frozen):
    lm = tiny_llama()
    before = lm.model.config._attn_implementation
    lm.model.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            loss = ReadingLoss(lm, TREE, frozen)([w.text for w in WISHES], WISHES).item()
    finally:
        lm.model.set_attn_implementation(before)
        lm.model.requires_grad_(True)
    expected = 0.0
    for wish, found in zip(
        WISHES, LanguageModelReader(lm, CATEGORIES).read([w.text for w in WISHES]), strict=True
    ):
        for name, target in targets_of(wish, TREE).items():
            answers = getattr(found, name)
            expected -= sum(t * math.log(answers[a]) for a, t in of_plan(name, target).items())
    assert loss == pytest.approx(expected / len(WISHES), rel=1e-4)


def test_teaching_lowers_the_loss_and_saves_the_best_adapter(model, tmp_path):
    out, reports = tmp_path / "out", []
    lines = tiny_llama().lines
    history = teach_reading(
        model, lines.tokenizer, CATEGORIES, WISHES, WISHES[:2], out, QUICK, reports.append
    )
    assert [row["epoch"] for row in history] == list(range(1, 13))
    assert history[-1]["train_loss"] < 0.7 * history[0]["train_loss"]
    assert len(reports) == 12 * 3  # two steps and a summary an epoch
    best = min(row["valid_loss"] for row in history)
    base = models.load_causal_lm(str(tmp_path / "base"), device="cpu")
    with models.quietly():
        again = PeftModel.from_pretrained(base, str(out)).merge_and_unload().eval()
    found = LanguageModelReader(CausalLM(again, lines.tokenizer), CATEGORIES).read(
        [w.text for w in WISHES[:2]]
    )
    losses = [
        -sum(
            t * math.log(getattr(read, name)[a])
            for name, target in targets_of(wish, TREE).items()
            for a, t in of_plan(name, target).items()
        )
        for wish, read in zip(WISHES, found, strict=False)
    ]
    assert np.mean(losses) == pytest.approx(best, rel=1e-2)
    assert not any("layers.0." in n for n, p in model.named_parameters() if p.requires_grad)


@pytest.mark.parametrize(("train", "valid"), [((), WISHES), (WISHES, ())])
def test_no_sentences_are_refused(train, valid, tmp_path):
    with pytest.raises(DataError, match=r"labelled requests to train on, .* to validate on"):
        teach_reading(None, None, CATEGORIES, train, valid, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected at least 1"),
        ({"batch": 0}, "batch is 0, expected at least 1"),
        ({"frozen_layers": 1.0}, "frozen_layers is 1.0, expected a share below 1"),
        ({"frozen_layers": -0.1}, "frozen_layers is -0.1"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        ReadingConfig(**change)


# -- frozen layers ---------------------------------------------------------------------------


def inputs(ids, sizes):
    longest = ids.shape[1]
    seen = torch.ones(longest, longest).tril().bool()
    mask = torch.zeros(len(ids), 1, longest, longest)
    mask.masked_fill_(~seen, torch.finfo(torch.float32).min)
    return ids, mask, torch.arange(longest).repeat(len(ids), 1), sizes


@pytest.mark.parametrize("frozen", [0, 1])
def test_two_parts_give_the_states_of_the_whole(model, frozen):
    decoder = CausalLM(model.eval(), tiny_llama().lines.tokenizer).decoder
    ids = torch.randint(4, 300, (3, 9))
    both, (ids, mask, where, sizes) = FrozenLayers(decoder, frozen), inputs(ids, [9, 9, 9])
    with torch.inference_mode():
        expected = decoder(
            input_ids=ids, attention_mask=mask, position_ids=where, use_cache=False
        ).last_hidden_state
    for _ in range(2):  # computed, then kept
        found = both(ids, mask, where, sizes)
        torch.testing.assert_close(found.detach(), expected)
    assert len(decoder.layers) == 2


def test_padding_makes_no_difference_and_kept_states_are_not_computed_again(model):
    decoder = CausalLM(model.eval(), tiny_llama().lines.tokenizer).decoder
    both, runs = FrozenLayers(decoder, 1), []
    decoder.layers[0].register_forward_hook(lambda *_: runs.append(1))
    ids = torch.randint(4, 300, (2, 9))
    ids[1, 5:] = 0
    found = both(*inputs(ids, [9, 5]))
    alone = both(*inputs(ids[1:, :5], [5]))
    torch.testing.assert_close(found[1, :5], alone[0])
    both(*inputs(ids, [9, 5]))
    assert len(runs) == 1


def test_what_cannot_be_frozen_is_refused(model):
    decoder = CausalLM(model, tiny_llama().lines.tokenizer).decoder
    for frozen in (-1, 2, 3):
        with pytest.raises(ConfigError, match=f"{frozen} frozen layers of 2.*leave one"):
            FrozenLayers(decoder, frozen)
    with pytest.raises(ConfigError, match="GPT2Model has no list of layers to freeze"):
        FrozenLayers(tiny_gpt2().decoder, 0)
