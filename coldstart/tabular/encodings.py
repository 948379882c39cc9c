"""Decode the bytes of a text file: UTF-8, UTF-16 and 32, and what came before them."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SAMPLE = 1 << 16
_SHOWN = 20
_HIGH = re.compile(r"[^\x00-\x7f]+")
_SYMBOLS = frozenset("’‘“”„‚‹›«»–—…•·°®™©€£¥¢§¿¡ºª½¼¾²³¹×÷±µ´¨¶†‡‰\xa0\xad")
_OLD = (
    "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "cp932", "euc_jp",
    "gb18030", "big5", "euc_kr",
)  # fmt: skip


@dataclass(frozen=True)
class Decoded:
    """A decoded file.

    Args:
        text: without a byte order mark.
        encoding: its name for people.
        warning: why the encoding is a guess; empty if it is certain.
    """

    text: str
    encoding: str
    warning: str = ""


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """Decode a text file.

    A byte order mark decides, then zero bytes (UTF-16), then whether it is valid UTF-8. Otherwise
    an older encoding is guessed, unless most characters beyond ASCII are valid UTF-8: then the file
    is damaged.

    Args:
        data: the file.
        encoding: Python name of the encoding; ``None``: recognised.

    Raises:
        ValueError: the bytes do not fit the encoding, or it cannot be guessed; the message says at
            which line.
    """
    if encoding is not None:
        return _given(data, encoding)
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return Decoded(_strictly(data, codec), name)
    if wide := _without_mark(data[:_SAMPLE]):
        return Decoded(_strictly(data, wide), "UTF-16", "UTF-16 without a byte order mark")
    try:
        return Decoded(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as e:
        return _older(data, e)


def _given(data: bytes, encoding: str) -> Decoded:
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        raise ValueError(f"there is no encoding {encoding!r}") from None
    name = "utf-8-sig" if codec.name == "utf-8" else codec.name
    return Decoded(_strictly(data, name), encoding)


def _strictly(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as e:
        raise ValueError(f"not {codec.upper()}: {_where(e)}") from None


def _where(error: UnicodeDecodeError) -> str:
    data: bytes = error.object
    line = data.count(b"\n", 0, error.start) + 1
    return f"byte {data[error.start]:#04x} at offset {error.start}, line {line}"


def _without_mark(sample: bytes) -> str | None:
    """UTF-16 of mostly ASCII text has a zero in nearly every second byte."""
    sample = sample[: len(sample) // 2 * 2]
    if len(sample) < 4 or b"\0" not in sample:
        return None
    zeros = [sample[side::2].count(0) / (len(sample) / 2) for side in (0, 1)]
    if max(zeros) > 0.5 and min(zeros) < 0.1:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    return None


def _older(data: bytes, error: UnicodeDecodeError) -> Decoded:
    """Guess the encoding of a file that is not UTF-8."""
    text = data.decode("utf-8", "surrogateescape")
    bad = sum("\udc80" <= c <= "\udcff" for c in text)
    good = sum(c > "\x7f" for c in text) - bad
    if good and good >= bad:
        raise ValueError(f"not UTF-8: {_where(error)}")
    lines = [line for line in data.splitlines() if not line.isascii()]
    sample = b"\n".join(lines)[:_SAMPLE]
    codec = "cp1252" if _western(sample) else _guessed(sample)
    if codec is None:
        raise ValueError(f"not UTF-8: {_where(error)}, nor surely anything else")
    try:
        decoded = data.decode(codec)
    except UnicodeDecodeError:  # five bytes mean nothing in Windows-1252
        codec = "latin-1" if codec == "cp1252" else codec
        decoded = _strictly(data, codec)
    name = {"cp1252": "Windows-1252 (Latin-1)", "latin-1": "Latin-1"}.get(codec, codec)
    words = dict.fromkeys(w for w in re.findall(r"\w+", decoded) if not w.isascii())
    shown = ", ".join(repr(w[:_SHOWN]) for w in list(words)[:3])
    shown = f", as in {shown}" if shown else ""
    what = f"not UTF-8 but taken for {name}{shown}; encoding={codec!r} says so, or another"
    return Decoded(decoded, name, what)


def _western(sample: bytes) -> bool:
    """Whether bytes above ASCII are single letters among ASCII ones, or signs outside words."""
    text = sample.decode("cp1252", "replace")
    runs = list(_HIGH.finditer(text))
    fine = sum(
        len(run[0]) <= 2
        and all(c.isalpha() or c in _SYMBOLS for c in run[0])
        and not _inside_word(text, run)
        for run in runs
    )
    return bool(runs) and fine >= 0.9 * len(runs)


def _inside_word(text: str, run: re.Match[str]) -> bool:
    """Whether a sign other than an apostrophe stands between two letters, such as "G³owa"."""
    before, after = text[: run.start()][-1:], text[run.end() :][:1]
    signs = any(not c.isalpha() and c not in "’‘´·\xad–—" for c in run[0])
    return signs and before.isalpha() and after.isalpha()


def _guessed(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(_OLD), threshold=0.3).best()
    return best.encoding if best is not None else None
