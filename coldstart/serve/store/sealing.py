"""States and details at rest: sealed by Fernet (AES-128-CBC with HMAC-SHA256), or plain."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, insert, select

from coldstart.serve.store.errors import WrongKey
from coldstart.serve.store.tables import meta

CHECK = "check"
_PLAIN, _SEALED = "0:", "1:"
_MAKE = (
    'make one with python -c "from cryptography.fernet import Fernet; '
    'print(Fernet.generate_key().decode())"'
)


class Sealer:
    """Turns texts into what is stored, and back.

    Args:
        keys: Fernet keys, separated by commas: the first seals, all unseal. ``None`` or an empty
            text for none: everything stays readable.

    Raises:
        WrongKey: a key is malformed.
    """

    def __init__(self, keys: str | None) -> None:
        try:
            fernets = [Fernet(k.strip()) for k in keys.split(",")] if keys else []
        except ValueError:
            raise WrongKey(
                "malformed encryption key: expected 32 bytes in URL-safe base64", hint=_MAKE
            ) from None
        self._first = fernets[0] if fernets else None
        self._all = MultiFernet(fernets) if fernets else None

    @property
    def has_key(self) -> bool:
        """Whether ``seal`` seals."""
        return self._first is not None

    def seal(self, text: str) -> str:
        """What to store."""
        if self._first is None:
            return _PLAIN + text
        return _SEALED + self._first.encrypt(text.encode()).decode("ascii")

    def unseal(self, stored: str) -> str:
        """The text that was stored.

        Raises:
            WrongKey: it was sealed with a key that is not among ours, or is damaged.
        """
        if stored.startswith(_PLAIN):
            return stored.removeprefix(_PLAIN)
        if self._all is None:
            raise WrongKey("the data is sealed, and no key was given", hint=_HINT)
        try:
            return self._all.decrypt(stored.removeprefix(_SEALED)).decode()
        except InvalidToken:
            raise WrongKey("the data was sealed with another key", hint=_HINT) from None

    def is_current(self, stored: str) -> bool:
        """Whether a stored text is sealed with the first key (or plain, if there is none)."""
        if self._first is None or not stored.startswith(_SEALED):
            return self._first is None and stored.startswith(_PLAIN)
        try:
            self._first.decrypt(stored.removeprefix(_SEALED))
        except InvalidToken:
            return False
        return True


_HINT = "set COLDSTART_SECRET_KEY to the key it was made with; several are separated by commas"


def agree(connection: Connection, sealer: Sealer) -> None:
    """Check the key against a text that the first key sealed; store one if there is none.

    Raises:
        WrongKey: the key does not fit, or is missing.
    """
    stored = connection.scalar(select(meta.c.value).where(meta.c.name == CHECK))
    if stored is not None:
        sealer.unseal(stored)
    elif sealer.has_key:
        connection.execute(insert(meta).values(name=CHECK, value=sealer.seal(CHECK)))
