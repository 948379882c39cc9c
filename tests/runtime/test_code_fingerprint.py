"""Kept answers count as long as the code that can take part in them is the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from coldstart.evaluation.baselines.selection import all_systems
from coldstart.runtime import code_fingerprint as reach
from coldstart.runtime.code_fingerprint import outside_source, reached, source_digest


def answer(*_):
    """Something that is not of the package."""


class Answer:
    """Likewise."""

    def make(self, *_):
        """A method."""


def test_what_a_module_imports_is_reached_and_so_on():
    found = reached("coldstart.evaluation.baselines.scored")
    assert {
        "coldstart.interactions.interaction_stats",
        "coldstart.schema",
        "coldstart.errors",
    } <= found
    assert not any(
        name.startswith(("coldstart.training", "coldstart.scoring.registry")) for name in found
    )


def test_imports_inside_functions_count_and_those_for_types_do_not():
    words = reached("coldstart.evaluation.baselines.text_retrieval")
    assert "coldstart.artifacts.loading" in words  # imported when it is called
    assert "coldstart.recommender" not in reached("coldstart.interactions.live_counts")
    bigrec = reached("coldstart.evaluation.baselines.bigrec")
    assert "coldstart.evaluation.recommender_adapter" not in bigrec  # a type there


def test_modules_of_others_are_left_out():
    assert reached("numpy", "coldstart.nothing") == frozenset()
    assert source_digest("numpy") == source_digest()


def test_another_text_is_another_digest(monkeypatch, tmp_path):
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "one.py").write_text("from coldstart import two\n")
    (tmp_path / "two.py").write_text("x = 1\n")
    (tmp_path / "three.py").write_text("y = 1\n")
    monkeypatch.setattr(reach, "_ROOT", tmp_path)
    reach._imports.cache_clear()
    reached.cache_clear()
    before = source_digest("coldstart.one")
    (tmp_path / "three.py").write_text("y = 2\n")
    assert source_digest("coldstart.one") == before
    (tmp_path / "two.py").write_text("x = 2\n")
    assert source_digest("coldstart.one") != before
    monkeypatch.undo()
    reach._imports.cache_clear()
    reached.cache_clear()


@pytest.mark.parametrize("made_by", [answer, partial(answer, 1), Answer, Answer().make])
def test_own_systems_are_known_by_their_file(made_by):
    assert outside_source(made_by) == Path(__file__).read_bytes()


def test_the_packages_own_functions_have_no_file_elsewhere():
    assert outside_source(all_systems()["als"].make) == b""
    assert outside_source(all_systems()["coldstart_prior"].make) == b""
    assert outside_source(len) == b""


def test_a_rival_does_not_change_with_our_own_blend():
    systems = all_systems()
    ours = reached(*systems["coldstart_prior"].code)
    assert {"coldstart.scoring.registry", "coldstart.training.crossfit"} <= ours
    for name in ("popularity", "item_knn_prior", "als", "dropout_autoencoder", "ease"):
        assert "coldstart.scoring.registry" not in reached(*systems[name].code)
    assert systems["als"].fingerprint() != systems["ease"].fingerprint()
