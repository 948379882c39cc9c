"""Values of files from elsewhere: each wrong kind is one error of one line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from safetensors.torch import save as save_torch

from coldstart.errors import ArtifactError
from coldstart.runtime import untrusted, untrusted_arrays


def refused(match):
    return pytest.raises(ArtifactError, match=match)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "is damaged"),
        (b"\xff\xfe", "UnicodeDecodeError"),
        (b'{"a": 1e400}', "the number 1e400, which is too large"),
        (b"[NaN]", "the number NaN"),
        (b"[-Infinity]", "the number -Infinity"),
        (b"[" + b"9" * 5000 + b"]", "too large"),
        (b"[9007199254740993]", "too large"),
        (b"[" * 300 + b"]" * 300, "nests more than 200 deep"),
        (b"[" * 100_000 + b"]" * 100_000, "RecursionError"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "RecursionError"),
    ],
)
def test_json_is_finite_and_flat(data, match):
    with refused(match) as e:
        untrusted.read_json(data, "x.json")
    assert "\n" not in str(e.value)
    assert len(e.value.message) < 300


def test_good_json_is_as_it_is():
    found = {"a": [1, -2.5, None, True, "é"], "b": {"c": 9007199254740992}}
    assert untrusted.read_json(json.dumps(found).encode(), "x") == found


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, 11, [1]])
def test_whole_numbers(value):
    with refused("n is .*, expected a whole number from 0 to 10"):
        untrusted.whole(value, "n", 0, 10)
    assert untrusted.whole(10, "n", 0, 10) == 10


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 2e6, 10**400])
def test_numbers(value):
    with refused("n is .*, expected a number from -1e.06 to 1e.06"):
        untrusted.number(value, "n")
    assert untrusted.number(3, "n") == 3.0


@pytest.mark.parametrize("value", [None, 3, "", "x" * 201, "a\0b", "\ud800"])
def test_texts_can_be_shown_and_stored(value):
    with refused("t is .*, expected a text of 1 to 200 characters") as e:
        untrusted.text(value, "t")
    str(e.value).encode("ascii")


def test_names_are_different_texts():
    assert untrusted.names(["a", "b"], "ids") == ("a", "b")
    for value, match in (
        (["a", "a"], "repeats"),
        (["a", 1], "an entry of ids is 1"),
        ("ab", "list"),
    ):
        with refused(match):
            untrusted.names(value, "ids")


@pytest.mark.parametrize("value", [[1], [1, 2, 3], "ab", None, [1, "x"], [1, float("nan")]])
def test_pairs(value):
    with refused("p is|number"):
        untrusted.pair(value, "p")


def test_what_is_shown_is_short_and_plain():
    for value in ("\n\ud800é" * 1000, [[[["x" * 1000]] * 100]], np.zeros((3, 4)), 10**5000):
        text = untrusted.shown(value)
        assert len(text) <= 80
        assert text.isascii()
        assert "\n" not in text


ARRAYS = {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.array([0.5, 1], np.float32)}


def test_arrays_are_read_as_they_were_saved():
    found = untrusted_arrays.read_arrays(save(ARRAYS), "x")
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype
    brain = torch.tensor([[1.5, -2.0]], dtype=torch.bfloat16)
    np.testing.assert_array_equal(
        untrusted_arrays.read_arrays(save_torch({"x": brain}), "x")["x"], [[1.5, -2.0]]
    )


@pytest.mark.parametrize("keep", [0, 4, 8, 40, -1])
def test_truncated_files_are_refused(keep):
    with refused("x is damaged"):
        untrusted_arrays.read_arrays(save(ARRAYS)[:keep], "x")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_numbers_that_are_not_finite_are_refused(bad, dtype):
    with refused("'x' has numbers that are not finite"):
        untrusted_arrays.read_arrays(save_torch({"x": torch.tensor([1.0, bad], dtype=dtype)}), "f")


def test_unknown_types_are_refused():
    eighth = torch.zeros(2, dtype=torch.float8_e4m3fn)
    with refused("arrays of type F8_E4M3 are unknown"):
        untrusted_arrays.read_arrays(save_torch({"x": eighth}), "f")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"name": "c"}, "f lacks the array c"),
        ({"shape": (3, 2)}, "expected shape 3 × 2, kind 'u'"),
        ({"shape": (None,)}, "expected shape any, kind 'u'"),
        ({"kinds": "f"}, "array of uint8 of shape .2, 3., expected"),
        ({"high": 4}, "a has values out of range"),
        ({"low": 1}, "a has values out of range"),
        ({"high": np.array([[9, 9, 9], [9, 3, 9]])}, "a has values out of range"),
    ],
)
def test_arrays_are_of_their_kind_shape_and_range(options, match):
    good = {"name": "a", "shape": (2, None), "kinds": "u", "low": 0, "high": 5}
    assert untrusted_arrays.array(ARRAYS, what="f", **good) is ARRAYS["a"]
    with refused(match):
        untrusted_arrays.array(ARRAYS, what="f", **good | options)


def rows(starts=(0, 2, 2, 3), columns=(0, 3, 1), values=(1, 2, 3), dtype=np.uint32):
    arrays = {"s": starts, "c": columns, "v": values}
    arrays = {name: np.array(one, dtype=dtype) for name, one in arrays.items()}
    return untrusted_arrays.compressed_rows(arrays, ("s", "c", "v"), "f", (3, 4), high=9)


def test_sound_rows_are_read():
    starts, columns, values = rows()
    assert starts.tolist() == [0, 2, 2, 3]
    assert columns.tolist() == [0, 3, 1]
    assert values.tolist() == [1.0, 2.0, 3.0]
    assert rows(columns=(3, 0, 1))[1].tolist() == [3, 0, 1]  # not sorted is no harm


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"columns": (0, 4, 1)}, "c has values out of range"),  # SciPy would read past the end
        ({"columns": (0, 2**32 - 1, 1)}, "c has values out of range"),
        ({"columns": (0, 0, 1)}, "c has a column twice in a row"),
        ({"starts": (0, 2, 1, 3)}, "s does not divide c into rows"),
        ({"starts": (1, 2, 2, 3)}, "s does not divide c into rows"),
        ({"starts": (0, 2, 2, 4)}, "s does not divide c into rows"),
        ({"starts": (0, 2, 3)}, "expected shape 4"),
        ({"values": (1, 2)}, "c and v differ in length"),
        ({"values": (1, 2, 10)}, "v has values out of range"),
        ({"dtype": np.float32}, "kind 'u'"),
        ({"dtype": np.int32}, "kind 'u'"),
    ],
)
def test_rows_that_would_break_scipy_are_refused(changes, match):
    with refused(match):
        rows(**changes)
