"""A tiny random sentence encoder on disk: one BERT layer pair, words as tokens, mean pooling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from coldstart.testing.world import TITLES, toy_requests

SIZE = 32
"""Length of its vectors."""


def save_tiny_bert(folder: Path, texts: Sequence[str] = ()) -> Path:
    """Write it as sentence-transformers does; returns the folder.

    Args:
        folder: made if it is missing.
        texts: that its vocabulary is of, Chinese characters apart; those of the toy world if left
            out.
    """
    inner = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    inner.normalizer = normalizers.BertNormalizer() if texts else normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer() if texts else inner.pre_tokenizer
    texts = texts or [*TITLES, *(request.text for request in toy_requests())]
    inner.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=special))
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = dict(zip(("pad", "unk", "cls", "sep", "mask"), special, strict=True))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, **{f"{name}_token": token for name, token in named.items()}
    )
    config = BertConfig(
        vocab_size=inner.get_vocab_size(),
        hidden_size=SIZE,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (path, kind) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 128}))
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": SIZE, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder
