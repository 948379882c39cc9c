"""Artifacts with random adapters of tiny base models, and registries of them."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from coldstart import Recommender, UserProfile
from coldstart.runtime import models
from coldstart.schema import DecodingConfig
from coldstart.tenants.registry import TenantRegistry
from tests.toy import save_tiny_base, toy_recommender

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
QUICK = DecodingConfig(max_new_tokens=8)
PEOPLE = [
    UserProfile(),
    UserProfile(age=21, occupation="student"),
    UserProfile(liked=["Toy Story", "Star Wars"], about="space"),
]


class World:
    """Tiny base models on disk, and artifacts with random adapters of them."""

    def __init__(self, folder):
        self.folder = folder
        self.bases = {f: save_tiny_base(folder / f, f) for f in ("llama", "gpt2")}

    def artifact(self, name, family="llama", seed=0, catalog=None, **lora):
        """Write an artifact, once; returns its folder."""
        out = self.folder / f"{name}-{family}-{seed}"
        if out.exists():
            return out
        base = self.bases[family]
        model, tokenizer = AutoModelForCausalLM.from_pretrained(base), models.load_tokenizer(base)
        fingerprint = models.fingerprint(model, tokenizer)
        gpt2 = {"target_modules": ["c_attn", "c_fc"], "fan_in_fan_out": True}
        lora = ({"target_modules": ALL} if family == "llama" else gpt2) | lora
        config = LoraConfig(
            task_type="CAUSAL_LM",
            **{"r": 4, "lora_alpha": 8, "init_lora_weights": False} | lora,
        )
        with torch.random.fork_rng(devices=[]), models.quietly():
            torch.manual_seed(seed)
            adapted = get_peft_model(model, config)
            for key, weight in adapted.named_parameters():
                if "lora_B" in key:
                    weight.data *= 0.3
            adapted.save_pretrained(self.folder / "peft")
        files = {
            f"adapter/{n}": (self.folder / "peft" / n).read_bytes()
            for n in ("adapter_config.json", "adapter_model.safetensors")
        }
        parts = toy_recommender(catalog)
        Recommender(
            parts.catalog,
            None,
            parts.template,
            parts.counts,
            parts.encoder,
            parts.ranker,
            parts.settings,
            manifest={
                "name": name,
                "base": {"name": base, "fingerprint": fingerprint},
                "encoder": {"name": models.DEFAULT_ENCODER},
            },
            adapter=files,
        ).save_pretrained(out)
        return out


def tenants(artifacts, **more):
    return TenantRegistry(artifacts, **({"device": "cpu", "dtype": "float32"} | more))


def alone(folder):
    return Recommender.from_pretrained(folder, device="cpu", dtype="float32")


def agree(one, other, people=PEOPLE[1:]):
    for strategy in ("catalog", "both"):
        for person in people:
            ours = one.recommend(person, k=7, strategy=strategy, decoding=QUICK)
            own = other.recommend(person, k=7, strategy=strategy, decoding=QUICK)
            assert ours.item_ids == own.item_ids
            assert [r.score for r in ours] == pytest.approx([r.score for r in own], abs=1e-4)


def written(rec, person=PEOPLE[1]):
    found = rec.generate(person, n=4, strategy="free", decoding=QUICK)
    return [(c.text, pytest.approx(c.logprob, abs=1e-4)) for c in found]
