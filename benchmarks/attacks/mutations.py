"""Changes of an artifact's files whose hashes are made right again."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

from coldstart.artifacts.manifest import seal

Change = Callable[[bytes, random.Random], bytes]
_TYPES = {"BF16": "<u2", "F16": "<f2", "F32": "<f4", "F64": "<f8", "BOOL": "?"}
_TYPES |= {f"{k}{b}": f"<{k.lower()}{b // 8}" for k in "UI" for b in (8, 16, 32, 64)}
_MARK = "\x01raw:"

# -- arrays ----------------------------------------------------------------------------------------


def arrays_of(data: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """Arrays of a safetensors file as (type, array), and its metadata; counts are inflated."""
    found = dict(safetensors.deserialize(data))
    if "deflated" in found:
        return arrays_of(zlib.decompress(bytes(found["deflated"]["data"])))
    arrays = {
        name: (t["dtype"], np.frombuffer(t["data"], _TYPES[t["dtype"]]).reshape(t["shape"]).copy())
        for name, t in found.items()
    }
    size = int.from_bytes(data[:8], "little")
    return arrays, json.loads(data[8 : 8 + size]).get("__metadata__") or {}


def arrays_to_bytes(arrays: dict[str, Any], about: dict[str, str]) -> bytes:
    """A safetensors file."""
    header: dict[str, Any] = {"__metadata__": about} if about else {}
    place, parts = 0, []
    for name, (kind, values) in arrays.items():
        raw = np.ascontiguousarray(values).tobytes()
        shape, offsets = list(values.shape), [place, place + len(raw)]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": offsets}
        place += len(raw)
        parts.append(raw)
    text = json.dumps(header).encode()
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def _extreme(kind: str, rng: random.Random) -> Any:
    if kind == "BF16":
        return rng.choice([0x7F80, 0x7FC0, 0x7F7F, 0xFF80, 0x4B00])  # inf, NaN, the largest, …
    if kind.startswith("F"):
        return rng.choice([np.nan, np.inf, -np.inf, np.finfo(_TYPES[kind]).max, 1e3, -1e3])
    top = np.iinfo(_TYPES[kind])
    return rng.choice([top.max, top.min, top.max // 2, 1700 % (top.max + 1), 3])


def _some(values: np.ndarray, rng: random.Random) -> int:
    return rng.randrange(values.size)


def change_arrays(data: bytes, rng: random.Random) -> bytes:
    """One change of one array of a file, or of its metadata."""
    arrays, about = arrays_of(data)
    names = [n for n, (_, values) in arrays.items() if values.size]
    name = rng.choice(names)
    kind, values = arrays[name]
    flat = values.reshape(-1)
    ways = (
        "value value values start drop rename shape cut longer kind swap reverse bits empty about"
    )
    match rng.choice(ways.split()):
        case "value":
            flat[_some(flat, rng)] = _extreme(kind, rng)
        case "values":
            flat[:] = _extreme(kind, rng)
        case "start":
            flat[rng.choice([0, -1])] = _extreme(kind, rng)
        case "drop":
            del arrays[name]
        case "rename":
            arrays[rng.choice(["x", "", name.upper(), "later_item"])] = arrays.pop(name)
        case "shape":
            arrays[name] = kind, values.reshape(rng.choice([(1, -1), (-1, 1), (-1,), (1, 1, -1)]))
        case "cut":
            arrays[name] = kind, flat[: rng.randrange(len(flat))]
        case "longer":
            arrays[name] = kind, np.concatenate([flat, flat[: rng.randrange(1, 9)]])
        case "kind":
            other = rng.choice(["F32", "F64", "F16", "I64", "U8", "I8", "U32", "BOOL"])
            with np.errstate(all="ignore"):
                arrays[name] = other, values.astype(_TYPES[other])
        case "swap":
            twin = rng.choice(names)
            arrays[name], arrays[twin] = arrays[twin], arrays[name]
        case "reverse":
            arrays[name] = kind, flat[::-1].reshape(values.shape)
        case "bits":
            raw = bytearray(values.tobytes())
            for _ in range(rng.choice([1, 8, 64])):
                raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            arrays[name] = kind, np.frombuffer(bytes(raw), values.dtype).reshape(values.shape)
        case "empty":
            arrays[name] = kind, values[:0]
        case "about":
            if "about" not in about:
                return change_bytes(data, rng)
            about["about"] = change_json(about["about"].encode(), rng).decode("utf-8", "replace")
    return arrays_to_bytes(arrays, about)


def change_bytes(data: bytes, rng: random.Random) -> bytes:
    """Cut a file, or change bytes of its beginning or anywhere."""
    raw = bytearray(data)
    match rng.randrange(4):
        case 0:
            return bytes(raw[: rng.randrange(len(raw))])
        case 1:
            for _ in range(4):
                raw[rng.randrange(min(200, len(raw)))] = rng.randrange(256)
        case 2:
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        case 3:
            raw += rng.randbytes(rng.randrange(1, 100))
    return bytes(raw)


# -- JSON ------------------------------------------------------------------------------------------


def _raw(text: str) -> str:
    """A value that is written as it is."""
    return _MARK + text


def odd_values(rng: random.Random) -> list[Any]:
    """Values that a field does not expect."""
    return [
        *(None, True, False, 0, -1, 1, 2**31, 2**63, 1.5, -1e308, "", "x", "0", [], {}, [[]]),
        *(["a", "a"], {"a": 1}, "\ud800", "a\0b", "x" * 100_000, "../../etc/passwd", "/no/such"),
        *map(_raw, ("1e400", "-1e400", "NaN", "Infinity", "9" * 5000, "[" * 5000 + "]" * 5000)),
        rng.random(),
    ]


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from _places(inner, (*path, key))
    elif isinstance(node, list):
        for n in {0, 1, len(node) // 2, len(node) - 1} & set(range(len(node))):
            yield from _places(node[n], (*path, n))


def change_json(data: bytes, rng: random.Random, below: tuple[str, ...] = ()) -> bytes:
    """One change of one value of a JSON file, or of its text.

    Args:
        data: the file.
        rng: chooses.
        below: keys below which the value lies.
    """
    if not below and rng.random() < 0.05:
        return change_bytes(data, rng)
    whole = json.loads(data)
    inner = whole
    for key in below:
        inner = inner[key]
    places = list(_places(inner))
    by_depth: dict[int, list[tuple[Any, ...]]] = {}
    for place in places:
        by_depth.setdefault(len(place), []).append(place)
    path = (*below, *rng.choice(by_depth[rng.choice(list(by_depth))]))
    if not path:
        return _text(rng.choice(odd_values(rng)))
    parent = whole
    for key in path[:-1]:
        parent = parent[key]
    old = parent[path[-1]]
    match rng.choice("odd odd odd drop twice number number shuffle".split()):
        case "drop":
            del parent[path[-1]]
        case "twice" if isinstance(old, list) and old:
            old.append(old[0])
        case "number" if isinstance(old, int | float):
            parent[path[-1]] = rng.choice([-old, old * 1e10, old + 1, old * 0.5, old * 2, -1, 0])
        case "shuffle" if isinstance(old, list):
            rng.shuffle(old)
        case _:
            parent[path[-1]] = rng.choice(odd_values(rng))
    return _text(whole)


def _text(value: Any) -> bytes:
    """JSON in which marked texts are written as they are."""
    text = json.dumps(value)
    mark = json.dumps(_MARK)[1:-1]
    head, *rest = text.split(f'"{mark}')
    return "".join([head, *(raw + tail for raw, tail in (r.split('"', 1) for r in rest))]).encode()


# -- templates and whole files ---------------------------------------------------------------------

_TAIL = "{% for t in liked %}\n{{ t }}\n{% endfor %}\n"
TEMPLATES = (
    "{% for a in range(100000000) %}x{% endfor %}",
    "{% for a in range(900) %}" * 6 + "{% endfor %}" * 6,
    "{{ 'x' * 10000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{% set a = 'xy' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "{% set a = 'xy' %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "{% set a = ['xy'] %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "{% set a = 'xy' %}" + "{% set a = a | replace('', a) %}" * 30 + "{{ a }}",
    "{% set a = 'xy' %}" + "{% set a = [a, a] | join(a) %}" * 30 + "{{ a }}",
    "{{ 'x' | center(10000000000) }}",
    "{{ '%010000000000d' % 1 }}",
    "{{ '{:10000000000}'.format(1) }}",
    "{{ lipsum(100000) }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include '/etc/passwd' %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self._TemplateReference__context }}",
    "{{ " + "(" * 20000 + "1" + ")" * 20000 + " }}",
    "{% if age %}" * 400 + "{% endif %}" * 400,
    "{{ shoe }}",
    "{% for",
    "{{ 1 / 0 }}",
    "x" * 1_000_000,
    "\0",
    "{{ age.real.conjugate() }}",
    "{% for a in liked %}{% for b in liked %}{% for c in liked %}{{ a ~ b ~ c }}{% endfor %}"
    "{% endfor %}{% endfor %}",
)


def change_template(data: bytes, rng: random.Random) -> bytes:
    """Another template, most of which never end or are no template."""
    source = rng.choice(TEMPLATES)
    match rng.randrange(4):
        case 0:
            return source.encode()
        case 1:
            return change_bytes(data, rng)
        case _:
            return (source + "\n" + rng.choice(["", _TAIL])).encode()


def write_mutant(source: Path, target: Path, name: str, data: bytes) -> None:
    """A copy of an artifact, of links, with one other file, and hashes and seal made right.

    Args:
        source: the artifact.
        target: a new folder.
        name: of the file.
        data: its content.
    """
    shutil.copytree(source, target, copy_function=os.link)
    (target / name).unlink(missing_ok=True)
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    (target / name).write_bytes(data)
    if name == "manifest.json":
        _seal_again(target / name)
        return
    path = target / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"][name] = hashlib.sha256(data).hexdigest()
    if name == "prompt/template.j2":
        text = data.decode("utf-8", "replace")
        manifest["prompt"]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    manifest["sha256"] = seal(manifest)
    path.unlink()
    path.write_text(json.dumps(manifest), encoding="utf-8")


def _seal_again(path: Path) -> None:
    """Put the right seal into a manifest that can be read; all else stays as it is written."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    try:
        manifest = json.loads(text)
        old, new = manifest["sha256"], seal(manifest)
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    path.write_bytes(text.replace(str(old), new).encode("utf-8", "surrogateescape"))
