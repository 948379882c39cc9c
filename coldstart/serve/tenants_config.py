"""Tenants configuration file: artifact, database and limits of each tenant."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from coldstart.artifacts.format import MANIFEST
from coldstart.errors import ConfigError
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_HINT = '[NAME] with artifact = "FOLDER", db = "FILE" and, if wanted, limits such as max_k = 20'
_LIMITS = (
    "queue", "batch", "deadline", "max_body", "max_k", "max_items", "origins", "images",
    "remote_images",
)  # fmt: skip


class Tenant(BaseModel):
    """Configuration of one tenant; limits default to those of the command line.

    Args:
        artifact: folder of the artifact.
        db: URL of the tenant's database.
        secret_key_env: environment variable with the encryption key of the store; default
            ``COLDSTART_SECRET_KEY``, if that is set.
        queue: see ``ServeSettings``.
        batch: see ``ServeSettings``.
        deadline: see ``ServeSettings``.
        max_body: see ``ServeSettings``.
        max_k: see ``ServeSettings``.
        max_items: see ``ServeSettings``.
        origins: see ``ServeSettings``.
        images: folder of the pictures that items name as files.
        remote_images: see ``ServeSettings``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    artifact: str = Field(min_length=1)
    db: str = Field(min_length=1)
    secret_key_env: str | None = Field(default=None, min_length=1)
    queue: int | None = None
    batch: int | None = None
    deadline: float | None = None
    max_body: int | None = None
    max_k: int | None = None
    max_items: int | None = None
    origins: list[str] | None = None
    images: str | None = Field(default=None, min_length=1)
    remote_images: bool | None = None

    def settings(self, default: ServeSettings) -> ServeSettings:
        """Settings of this tenant's service.

        Raises:
            ConfigError: a value is out of range.
        """
        own = {n: v for n in _LIMITS if (v := getattr(self, n)) is not None}
        if self.origins is not None:
            own["origins"] = tuple(self.origins)
        return replace(default, **own)

    def open(self, *, create: bool = True) -> Store:
        """Open the tenant's store.

        Args:
            create: see ``Store.open``.

        Raises:
            StoreError: as ``Store.open``.
        """
        key = os.environ.get(self.secret_key_env) if self.secret_key_env else None
        return Store.open(self.db, create=create, secret_key=key)


def read_tenants(path: str | Path, default: ServeSettings | None = None) -> dict[str, Tenant]:
    """Read a TOML file with one table per tenant.

    Paths of artifacts and SQLite files are relative to the folder of the file::

        [film-club]
        artifact = "adapters/movies"
        db = "film-club.db"
        max_k = 20
        images = "posters"

        [shop]
        artifact = "adapters/shop"
        db = "postgresql+psycopg://shop@db.example/shop"
        secret_key_env = "SHOP_SECRET_KEY"

    Args:
        path: path of the file.
        default: settings that tenants may override.

    Raises:
        ConfigError: the file cannot be read; a field is missing, unknown or out of range; an
            artifact does not exist; or two tenants share a database.
    """
    try:
        raw = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as e:
        raise ConfigError(f"{path}: {e.strerror or e}", hint="check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: not TOML: {e}", hint=_HINT) from None
    if not raw:
        raise ConfigError(f"{path} names no tenants", hint=_HINT)
    folder = Path(path).absolute().parent
    tenants: dict[str, Tenant] = {}
    databases: dict[object, str] = {}
    for name, table in raw.items():
        where = f"{path}: {name!r}"
        tenants[name] = tenant = _tenant(where, name, table, folder)
        try:
            tenant.settings(default or ServeSettings())
        except ConfigError as e:
            raise ConfigError(f"{where}: {e.message}", hint=e.hint) from None
        other = databases.setdefault(_database(where, tenant.db), name)
        if other != name:
            raise ConfigError(
                f"{where} has the database of {other!r}: keys and sessions of one would count for "
                "the other",
                hint="give each a database of its own",
            )
    return tenants


def _tenant(where: str, name: str, table: Any, folder: Path) -> Tenant:
    """Validate one table and make its paths absolute."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{where} cannot be part of an address",
            hint="1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first",
        )
    try:
        given = Tenant.model_validate(table)
    except ValidationError as e:
        problems = "; ".join(
            f"{'.'.join(map(str, x['loc'])) or 'not a table'}: {x['msg']}" for x in e.errors()
        )
        raise ConfigError(f"{where}: {problems}", hint=_HINT) from None
    artifact = folder / Path(given.artifact).expanduser()
    if not (artifact / MANIFEST).is_file():
        raise ConfigError(f"{where}: no artifact at {artifact}", hint="give its folder")
    key = given.secret_key_env
    if key is not None and not os.environ.get(key):
        raise ConfigError(f"{where}: the environment has no {key}", hint=f"export {key}=…")
    db = given.db
    if "://" not in db:
        file = folder / Path(db).expanduser()
        if not file.parent.is_dir():
            raise ConfigError(f"{where}: no folder {file.parent}", hint="make it")
        db = f"sqlite:///{file}"
    update = {"artifact": str(artifact), "db": db}
    if given.images is not None:
        images = folder / Path(given.images).expanduser()
        if not images.is_dir():
            raise ConfigError(f"{where}: no folder of pictures {images}", hint="make it")
        update["images"] = str(images)
    return given.model_copy(update=update)


def _database(where: str, url: str) -> object:
    """Identity of a database; equal for different URLs of the same database."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            f"{where}: db is no URL of a database",
            hint="a file, or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
        ) from None
    if parts.get_backend_name() == "sqlite":
        return os.path.realpath(parts.database or "")
    return parts.get_backend_name(), parts.host, parts.port, parts.database
