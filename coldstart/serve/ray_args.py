"""What an application on Ray Serve is given: which artifacts, which store, which limits."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from coldstart.artifacts.format import MANIFEST
from coldstart.errors import ArtifactError, ConfigError
from coldstart.serve.settings import ServeSettings

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

OWN = "default"
"""What ``{model}`` in the store's URL becomes for whoever names no model."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME.pattern}$")]


class Args(BaseModel):
    """``args`` of the config file.

    Args:
        artifact: folder or ``org/name`` on the hub; answers whoever names no model.
        models: artifacts by name, for the header ``serve_multiplexed_model_id``. A name is up to
            63 lower-case letters, digits, ``_`` and ``-``.
        root: a folder; each artifact in it is a model by the name of its folder.
        most_models: models that one replica holds at a time; the longest unused one goes.
        db: SQLite file or URL, as for ``coldstart serve``; with models it must hold ``{model}``,
            so that none sees what another stored. Left out: ``COLDSTART_DB`` of the replica's
            environment, where a password belongs.
        device: where language models run.
        dtype: their number format.
        loader: ``module:function`` that makes a recommender of an artifact's folder, for parts of
            your own.
        settings: limits of a replica, the fields of ``ServeSettings``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact: str | None = None
    models: dict[Name, str] = Field(default_factory=dict)
    root: str | None = None
    most_models: int = Field(default=3, ge=1)
    db: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    loader: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$")
    settings: ServeSettings = ServeSettings()

    @classmethod
    def read(cls, given: Mapping[str, Any] | Args) -> Args:
        """Check what a config file says.

        Raises:
            ConfigError: a field is unknown, missing, of another type or out of range; or the
                fields do not go together.
        """
        try:
            args = cls.model_validate(given)
        except ValidationError as e:
            told = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors())
            raise ConfigError(f"args: {told}", hint="docs/deploy.md lists them") from None
        args._check()
        return args

    @property
    def many(self) -> bool:
        """Whether requests can name a model."""
        return bool(self.models or self.root)

    def folder_of(self, name: str) -> str | None:
        """The artifact of a model, ``None`` if there is no model of this name.

        A name with anything else in it than letters, digits, ``_`` and ``-`` is none, so that
        nothing outside ``root`` can be named.
        """
        if not _NAME.fullmatch(name) or name == OWN:
            return None
        if name in self.models:
            return self.models[name]
        inside = Path(self.root, name) if self.root else None
        return str(inside) if inside and (inside / MANIFEST).is_file() else None

    def url_of(self, name: str) -> str:
        """The URL of a model's store."""
        db = (self.db or os.environ.get("COLDSTART_DB") or "coldstart.db").replace("{model}", name)
        return db if "://" in db else f"sqlite:///{os.path.abspath(db)}"

    def check_nodes(self, nodes: int) -> None:
        """Refuse a store that the replicas of a cluster would not share.

        Args:
            nodes: machines of the cluster.

        Raises:
            ConfigError: SQLite, and several nodes.
        """
        if nodes > 1 and self.url_of(OWN).startswith("sqlite"):
            raise ConfigError(
                f"the store is a SQLite file, and the cluster has {nodes} nodes: each would have"
                " people of its own",
                hint="set db, or COLDSTART_DB, to postgresql+psycopg://user@host/database",
            )

    def load(self) -> Callable[[str], Recommender]:
        """What makes a recommender of a folder.

        Models share each base model and encoder, their adapters run beside it; an artifact alone
        has its adapter merged, as ``coldstart serve`` does. Raises as
        ``Recommender.from_pretrained``.
        """
        if self.loader:
            return _function(self.loader)
        if self.many:
            return _sharing(self.device, self.dtype)
        from coldstart.recommender import Recommender

        return partial(Recommender.from_pretrained, device=self.device, dtype=self.dtype)

    def _check(self) -> None:
        if not (self.artifact or self.many):
            raise ConfigError(
                "args: nothing to serve", hint="give artifact, models or root; see docs/deploy.md"
            )
        if OWN in self.models:
            raise ConfigError(
                f"args: models.{OWN}: the name is taken by whoever names no model",
                hint="call it otherwise, or give it as artifact",
            )
        if self.many and self.url_of("a") == self.url_of("b"):
            raise ConfigError(
                "args: db: all models would share one store, and see each other's people",
                hint="put {model} into it, as in /data/{model}.db",
            )
        if self.root and not Path(self.root).is_dir():
            raise ConfigError(f"args: root: no folder {self.root}", hint=_seen_from(self.root))
        if self.loader:
            _function(self.loader)
        else:
            for folder in filter(None, (self.artifact, *self.models.values())):
                _check_artifact(folder)


def _sharing(device: str, dtype: str) -> Callable[[str], Recommender]:
    from coldstart.tenants.registry import Tenants

    tenants = Tenants({"": ""}, device=device, dtype=dtype)

    def load(folder: str) -> Recommender:
        tenants.artifacts[folder] = folder  # a folder of ``root`` may be newer than the replica
        return tenants.load(folder)

    return load


def _check_artifact(name: str) -> None:
    """Refuse a folder that is no artifact; what is on the hub is seen when it is loaded."""
    folder = Path(name)
    if not (folder / MANIFEST).is_file() and (folder.exists() or not _HUB.fullmatch(name)):
        raise ArtifactError(f"no artifact at {name}: {MANIFEST} is missing", hint=_seen_from(name))


def _seen_from(path: str) -> str:
    return "check the path" if Path(path).is_absolute() else f"it is looked for in {os.getcwd()}"


def _function(name: str) -> Callable[[str], Recommender]:
    module, _, attribute = name.partition(":")
    try:
        return cast("Callable[[str], Recommender]", getattr(import_module(module), attribute))
    except (ImportError, AttributeError) as e:
        raise ConfigError(f"args: loader: {e}", hint="module:function, importable here") from None
