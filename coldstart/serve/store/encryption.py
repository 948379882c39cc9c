"""Encryption at rest of session states and event details: Fernet (AES-128-CBC, HMAC-SHA256)."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, insert, select

from coldstart.serve.store.errors import WrongKey
from coldstart.serve.store.tables import meta

CHECK = "check"
_PLAIN, _ENCRYPTED = "0:", "1:"
_HOW_TO_GENERATE = (
    'make one with python -c "from cryptography.fernet import Fernet; '
    'print(Fernet.generate_key().decode())"'
)


class Encryptor:
    """Encrypts and decrypts stored texts.

    Args:
        keys: Fernet keys, separated by commas: the first one encrypts, all decrypt. ``None`` or an
            empty string disables encryption.

    Raises:
        WrongKey: a key is malformed.
    """

    def __init__(self, keys: str | None) -> None:
        try:
            fernets = [Fernet(k.strip()) for k in keys.split(",")] if keys else []
        except ValueError:
            raise WrongKey(
                "malformed encryption key: expected 32 bytes in URL-safe base64",
                hint=_HOW_TO_GENERATE,
            ) from None
        self._first = fernets[0] if fernets else None
        self._all = MultiFernet(fernets) if fernets else None

    @property
    def has_key(self) -> bool:
        """Whether encryption is enabled."""
        return self._first is not None

    def encrypt(self, text: str) -> str:
        """Encrypt a text for storage; with a plain-text marker if encryption is disabled."""
        if self._first is None:
            return _PLAIN + text
        return _ENCRYPTED + self._first.encrypt(text.encode()).decode("ascii")

    def decrypt(self, stored: str) -> str:
        """Decrypt a stored text.

        Raises:
            WrongKey: it was encrypted with an unknown key, or is damaged.
        """
        if stored.startswith(_PLAIN):
            return stored.removeprefix(_PLAIN)
        if self._all is None:
            raise WrongKey("the data is sealed, and no key was given", hint=_HINT)
        try:
            return self._all.decrypt(stored.removeprefix(_ENCRYPTED)).decode()
        except InvalidToken:
            raise WrongKey("the data was sealed with another key", hint=_HINT) from None

    def is_current(self, stored: str) -> bool:
        """Whether a stored text is encrypted with the first key (or plain, if there is no key)."""
        if self._first is None or not stored.startswith(_ENCRYPTED):
            return self._first is None and stored.startswith(_PLAIN)
        try:
            self._first.decrypt(stored.removeprefix(_ENCRYPTED))
        except InvalidToken:
            return False
        return True


_HINT = "set COLDSTART_SECRET_KEY to the key it was made with; several are separated by commas"


def verify_key(connection: Connection, encryptor: Encryptor) -> None:
    """Check the key against the stored check value; store one if there is none.

    Raises:
        WrongKey: the key does not match, or is missing.
    """
    stored = connection.scalar(select(meta.c.value).where(meta.c.name == CHECK))
    if stored is not None:
        encryptor.decrypt(stored)
    elif encryptor.has_key:
        connection.execute(insert(meta).values(name=CHECK, value=encryptor.encrypt(CHECK)))
