"""Tenant registry: an LRU cache of recommenders that share base models and sentence encoders."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from coldstart.artifacts import loading
from coldstart.artifacts.hub import find
from coldstart.errors import ConfigError, ModelError
from coldstart.protocols import Encoder
from coldstart.recommender import Recommender

if TYPE_CHECKING:
    from coldstart.generation.models.adapted import SharedBase
    from coldstart.generation.models.causal import CausalLM

log = logging.getLogger(__name__)


class TenantRegistry:
    """Recommenders by tenant name, loaded on first use. Thread-safe.

    Tenants with the same base model share its weights and tokenizer, and encoders of the same name;
    each tenant has its own LoRA adapter, catalog, interaction counts and ranker. Lists equal those
    of ``Recommender.from_pretrained`` up to rounding, since adapters are not merged into the shared
    weights. An adapter that has more than plain LoRA matrices is merged into a separate copy of the
    base model, with a warning in the log.

        tenants = TenantRegistry({"films": "adapters/movies", "shop": "adapters/mine"}, most=4)
        tenants.get("films").recommend({"about": "slow-burn stories"})

    A single recommender is not thread-safe; different ones can be used concurrently.

    Args:
        artifacts: artifact folder, or ``org/name`` on the Hugging Face Hub, by tenant name.
        most: capacity of the cache; the least recently used tenant is evicted first. References to
            an evicted recommender stay valid.
        device: device of the language models; see ``Recommender.from_pretrained``.
        dtype: number format of their weights; likewise.

    Raises:
        ConfigError: there are no artifacts, or ``most`` is less than 1.
    """

    def __init__(
        self,
        artifacts: Mapping[str, str | Path],
        *,
        most: int = 8,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        if not artifacts:
            raise ConfigError("there are no tenants", hint="give an artifact for each name")
        if most < 1:
            raise ConfigError(f"most is {most}, expected at least 1")
        self.artifacts, self.most = dict(artifacts), most
        self._device, self._dtype = device, dtype
        self._cache: OrderedDict[str, Recommender] = OrderedDict()
        self._bases: WeakValueDictionary[tuple[str, str], SharedBase] = WeakValueDictionary()
        self._encoders: WeakValueDictionary[str, Encoder] = WeakValueDictionary()
        self._lock = threading.Lock()  # guards the caches; held briefly
        self._loading = {name: threading.Lock() for name in self.artifacts}
        self._loading_base = threading.Lock()  # serializes loading of base models

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the cached tenants, the most recently used last."""
        with self._lock:
            return tuple(self._cache)

    def get(self, name: str) -> Recommender:
        """Recommender of a tenant, loaded if it is not cached; other tenants are not blocked.

        Raises:
            ConfigError: unknown tenant.
            ArtifactError: the artifact is missing or damaged, or its base model differs.
            FetchError: a file could not be downloaded.
        """
        self._check(name)
        with self._loading[name]:  # concurrent calls for one tenant share the load
            with self._lock:
                if name in self._cache:
                    self._cache.move_to_end(name)
                    return self._cache[name]
            recommender = self.load(name)
            with self._lock:
                self._cache[name] = recommender
                while len(self._cache) > self.most:
                    self._cache.popitem(last=False)
            return recommender

    def drop(self, name: str) -> None:
        """Evict a tenant; it is reloaded on next use.

        Raises:
            ConfigError: unknown tenant.
        """
        self._check(name)
        with self._lock:
            self._cache.pop(name, None)

    def load(self, name: str) -> Recommender:
        """Load a new, uncached recommender of a tenant, or of an artifact folder.

        Raises as ``get``.
        """
        if name not in self.artifacts and not Path(name).is_absolute():
            self._check(name)
        folder = find(self.artifacts.get(name, name))
        parts = loading.load_parts(folder, None, self._lm)
        with self._lock:
            encoder = self._encoders.setdefault(parts.manifest["encoder"]["name"], parts.encoder)
        return Recommender(**vars(replace(parts, encoder=encoder)))

    def _check(self, name: str) -> None:
        if name not in self.artifacts:
            raise ConfigError(
                f"no tenant {name!r}", hint=f"there are {', '.join(sorted(self.artifacts))}"
            )

    def _lm(self, name: str, fingerprint: str, files: Mapping[str, bytes]) -> CausalLM:
        """Language model: the shared base with an unmerged adapter, or a merged copy."""
        from coldstart.generation.models.lora import LoRA
        from coldstart.runtime.hardware import pick_device, pick_dtype

        where = pick_device(self._device)
        try:
            lora = LoRA.read(files, where, pick_dtype(where, self._dtype))
            return self._base(name, fingerprint).with_adapter(lora)
        except ModelError as e:
            log.warning("an adapter of %s does not run beside the base model: %s", name, e)
        return loading.load_adapted(
            name, fingerprint, files, device=self._device, dtype=self._dtype
        )

    def _base(self, name: str, fingerprint: str) -> SharedBase:
        from coldstart.generation.models.adapted import SharedBase

        with self._loading_base:
            found = self._bases.get((name, fingerprint))
            if found is None:
                lm = _load_base(name, fingerprint, device=self._device, dtype=self._dtype)
                found = self._bases[name, fingerprint] = SharedBase(lm)
            return found


def _load_base(name: str, fingerprint: str, *, device: str, dtype: str) -> CausalLM:
    """Base model without an adapter; on a CPU, memory-mapped from the cache if it is there."""
    from coldstart.generation.models import cached
    from coldstart.generation.models.causal import CausalLM
    from coldstart.runtime.hardware import pick_device, pick_dtype, use_all_cores

    def load_full() -> CausalLM:
        return CausalLM(*loading.load_base(name, fingerprint, device=device, dtype=dtype))

    where = pick_device(device)
    if where.type != "cpu":
        return load_full()
    use_all_cores()
    folder = cached.decoder_folder(name, fingerprint, {}, pick_dtype(where, dtype))
    try:
        # Weights are memory-mapped, hence shared between processes.
        return cached.load_decoder(folder, load_full)
    except ModelError:  # not cached yet, or damaged
        lm = load_full()
        cached.store_decoder(lm, folder)
    try:
        return cached.load_decoder(folder, load_full)
    except ModelError:  # an architecture that cannot be cached
        return lm
