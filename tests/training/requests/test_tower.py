"""Training of the request encoder: what the words say is learned, and comes back as saved."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from coldstart.catalog.item_store import ItemStore
from coldstart.data.requests.recorded import RecordedRequest, RequestItem
from coldstart.errors import ConfigError, DataError
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, UserProfile
from coldstart.scoring.request_encoder import RequestEncoderScorer
from coldstart.scoring.scorer import ScoreRequest
from coldstart.testing.world import toy_catalog, toy_dataset
from coldstart.training.requests.tower import (
    DISLIKED,
    LIKED,
    UNSAID,
    AdaptedSentenceEncoder,
    TowerConfig,
    TowerData,
    TowerHead,
    fit_encoder,
    fit_head,
    loss_of,
    tower_files,
)
from tests.fakes import FakeEncoder
from tests.tiny_bert import SIZE, save_tiny_bert
from tests.training.requests_world import WORDS, worded_requests

QUICK = TowerConfig(epochs=2, head_epochs=25, batch=4, head_learning_rate=0.05, rank=2, dropout=0.1)


def small_store():
    data, encoder = toy_dataset(), FakeEncoder(dim=SIZE)
    out = ItemStore(toy_catalog(), Counts.fit(data.catalog.ids, data.users, data.likes), encoder)
    out.sync()
    return out


STORE = small_store()
DATA = TowerData.of(worded_requests(), STORE)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny_bert(tmp_path_factory.mktemp("bert") / "tiny")


def new_head(dropout=0.1):
    content = STORE.content[[STORE.rows[i] for i in DATA.ids]]
    return TowerHead(content, content, np.zeros(len(DATA.ids)), dropout)


def trained(base, config=QUICK):
    """Everything trained: encoder, head and the reports of the steps."""
    encoder, head, reports = AdaptedSentenceEncoder(base, config), new_head(), []
    fit_encoder(encoder, head, DATA, config, reports.append)
    encoder.model.eval()
    with torch.inference_mode():
        vectors = encoder(DATA.texts)
    fit_head(head, vectors.clone(), DATA, config, reports.append)
    return encoder, head, reports


@pytest.fixture(scope="module")
def result(base):
    return trained(base)


def test_what_the_words_say_is_learned(result):
    encoder, head, reports = result
    assert reports[-1]["loss"] < reports[0]["loss"] / 2
    with torch.inference_mode():
        logits = head(encoder(list(WORDS.values())), [[], [], []])
    assert [DATA.ids[n] for n in logits.argmax(dim=1)] == list(WORDS)


def test_the_seed_decides(base, result):
    again = trained(base)
    for name, weight in result[1].state_dict().items():
        assert torch.equal(weight, again[1].state_dict()[name]), name


def test_the_adapter_is_saved_and_something_in_it_was_learned(base, tmp_path):
    encoder = AdaptedSentenceEncoder(base, QUICK)
    fit_encoder(encoder, new_head(), DATA, QUICK, lambda row: None, tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    ups = [p for n, p in encoder.model.named_parameters() if "lora_B" in n and "pooler" not in n]
    assert all(p.abs().max() > 0 for p in ups)
    frozen = [p for n, p in encoder.model.named_parameters() if "lora_" not in n]
    assert not any(p.requires_grad for p in frozen)


def test_the_scorer_reads_what_was_trained(base, result):
    """Item vectors come back within their 8 bits, so log-probabilities nearly do."""
    _, head, _ = result
    scorer = RequestEncoderScorer()
    scorer.load(tower_files(head, DATA, STORE, str(base)))
    with torch.inference_mode():
        text = torch.from_numpy(scorer.tower.encoder.encode([WORDS["i8"]]))
        named = [DATA.ids.index("i3")]
        expected = torch.log_softmax(head(text, [named])[0], dim=0).numpy()
    user = ResolvedProfile(UserProfile(about=WORDS["i8"], liked="i3"), Context())
    (found,) = scorer.score([ScoreRequest(user, STORE)])
    rows = [STORE.rows[i] for i in DATA.ids]
    ours = found.columns["request"][rows]
    np.testing.assert_allclose(ours - ours.mean(), expected - expected.mean(), atol=0.1)


# -- data and loss ---------------------------------------------------------------------------


def request(chosen, named=(), text="words"):
    items = tuple(RequestItem(i, liked) for i, liked in chosen)
    return RecordedRequest(text, items, tuple(map(RequestItem, named)))


def test_requests_become_positions():
    data = TowerData.of(
        [
            request([("i5", True), ("nowhere", True)], ["i2", "i2", "gone"]),
            request([("nowhere", True)], ["i9"]),
            request([("i2", None), ("i5", False)]),
        ],
        STORE,
    )
    assert list(data.ids) == ["i2", "i5", "i9"]
    assert [list(named) for named in data.named] == [[0], []]
    assert list(data.chosen) == [{1: LIKED}, {0: UNSAID, 1: DISLIKED}]


def test_no_chosen_item_in_the_catalog_is_an_error():
    with pytest.raises(DataError, match="no request chooses an item of the catalog.*titles"):
        TowerData.of([request([("nowhere", True)], ["i1"])], STORE)


def test_the_loss_is_the_cross_entropy_without_named_items():
    data = TowerData.of(
        [request([("i1", True), ("i2", False)], ["i3"]), request([("i3", None)], ["i3"])], STORE
    )
    logits = torch.tensor([[1.0, 2.0, 9.0], [0.0, 0.0, 0.0]])
    first = [-(x - math.log(math.exp(1) + math.exp(2))) for x in (1.0, 2.0)]
    weighted = LIKED * first[0] + DISLIKED * first[1] + UNSAID * math.log(3)
    expected = weighted / (LIKED + DISLIKED + UNSAID)
    assert loss_of(logits, data, [0, 1]).item() == pytest.approx(expected, rel=1e-5)


def test_named_items_move_the_query_by_their_mean_direction():
    head = new_head().eval()
    with torch.no_grad():
        head.mention_residual.copy_(torch.randn_like(head.mention_residual))
    text = torch.randn(3, SIZE)
    with torch.inference_mode():
        logits = head(text, [[0, 2], [], [1]])
        moved = head.query(text[:1]) + head.mentions()[[0, 2]].sum(0) / math.sqrt(2)
        expected = head.log_scale.exp() * moved @ head.items().T + head.bias
        torch.testing.assert_close(logits[:1], expected)
        torch.testing.assert_close(logits[1:2], head(text[1:2], [[]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": -1}, "epochs is -1, expected at least 0"),
        ({"head_epochs": -1}, "head_epochs is -1"),
        ({"batch": 0}, "batch is 0, expected at least 1"),
        ({"rank": 0}, "rank is 0"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        TowerConfig(**change)


@pytest.mark.parametrize("batch", [1, 2, 4, 8, 50])
def test_any_number_of_steps_has_a_schedule(batch):
    """One cycle of few steps once divided by zero: ten of them have no step of warm-up."""
    data = TowerData.of(worded_requests(), small_store())
    size = len(data.ids)
    content = np.eye(size, SIZE, dtype=np.float32)
    head = TowerHead(content, content, np.zeros(size, dtype=np.float32), 0.1)
    before = head.residual.detach().clone()
    config = TowerConfig(epochs=0, head_epochs=3, batch=batch)
    vectors = torch.ones(len(data.texts), SIZE)
    fit_head(head, vectors, data, config, lambda row: None)
    assert not torch.equal(head.residual, before)
    assert torch.isfinite(head.residual).all()
