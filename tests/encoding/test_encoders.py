from __future__ import annotations

import logging
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.item_encoding import encode_items
from coldstart.encoding import vector_cache
from coldstart.encoding.sentence_encoder import SentenceEncoder
from coldstart.encoding.vector_cache import CachedEncoder
from coldstart.errors import ConfigError, ModelError
from coldstart.testing.contracts.encoder import EncoderContract
from tests.fakes import FakeEncoder

TEXTS = ["Toy Story", "Heat", "七人の侍", "🎬", "", "Heat", "a\ud800b"]


class TestFakeEncoder(EncoderContract):
    def make(self):
        return FakeEncoder()


class TestCachedEncoder(EncoderContract):
    def make(self):
        return CachedEncoder(FakeEncoder(), None)

    def test_its_name_is_that_of_the_one_behind(self):
        assert CachedEncoder(FakeEncoder("minilm"), None).name == "minilm"

    @given(st.lists(st.text(max_size=5)), st.lists(st.text(max_size=5)))
    def test_vectors_are_those_of_the_encoder(self, first, second):
        cached = CachedEncoder(FakeEncoder(), None)
        cached.encode(first, remember=True)
        assert np.array_equal(cached.encode(second), FakeEncoder().encode(second))

    def test_remembered_texts_are_encoded_once(self):
        fake = FakeEncoder()
        cached = CachedEncoder(fake, None)
        cached.encode(["a", "b", "a"], remember=True)
        cached.encode(["b", "c"], remember=True)
        cached.encode(["c", "a"])
        assert fake.texts == ["a", "b", "c"]

    def test_queries_are_not_remembered(self, tmp_path):
        cached = CachedEncoder(FakeEncoder(), tmp_path)
        cached.encode(["one-off"])
        assert len(cached) == 0
        assert list(tmp_path.iterdir()) == []

    def test_a_second_process_encodes_nothing(self, tmp_path):
        first = CachedEncoder(FakeEncoder(), tmp_path / "made").encode(TEXTS[:-1], remember=True)
        fake = FakeEncoder()
        assert np.array_equal(CachedEncoder(fake, tmp_path / "made").encode(TEXTS[:-1]), first)
        assert fake.calls == []
        assert [path.suffix for path in (tmp_path / "made").iterdir()] == [".safetensors"]

    def test_one_file_per_encoder(self, tmp_path):
        for name in ["a/../b", "C:\\c"]:
            CachedEncoder(FakeEncoder(name), tmp_path).encode(["x"], remember=True)
        assert len(list(tmp_path.iterdir())) == 2

    @pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "text"])
    def test_a_damaged_file_is_discarded_with_a_warning(self, tmp_path, caplog, damage):
        whole = CachedEncoder(FakeEncoder(), tmp_path).encode(["a", "b"], remember=True)
        (path,) = tmp_path.iterdir()
        data = path.read_bytes()
        flipped = data[:-5] + bytes([data[-5] ^ 0x40]) + data[-4:]
        broken = {"truncated": data[:-7], "flipped": flipped, "emptied": b"", "text": b"x" * 99}
        path.write_bytes(broken[damage])
        with caplog.at_level(logging.WARNING, "coldstart"):
            cached = CachedEncoder(FakeEncoder(), tmp_path)
            assert np.array_equal(cached.encode(["a", "b"], remember=True), whole)
        assert "discarding the damaged vector cache" in caplog.text
        assert len(CachedEncoder(FakeEncoder(), tmp_path)) == 2

    def test_a_folder_that_cannot_be_written_costs_one_warning(self, tmp_path, caplog):
        (tmp_path / "file").write_text("not a folder")
        cached = CachedEncoder(FakeEncoder(), tmp_path / "file" / "folder")
        for text in ["a", "b"]:
            cached.encode([text], remember=True)
        assert len(cached) == 2
        assert caplog.text.count("cannot write the vector cache") == 1

    def test_the_oldest_rows_are_forgotten(self, tmp_path):
        cached = CachedEncoder(FakeEncoder(), tmp_path, max_rows=3)
        cached.encode(["a", "b"], remember=True)
        cached.encode(["c", "d", "e"], remember=True)
        fake = FakeEncoder()
        again = CachedEncoder(fake, tmp_path)
        again.encode(["c", "d", "e"])
        assert (len(again), fake.calls) == (3, [])

    def test_large_files_are_rewritten_only_when_worth_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(vector_cache, "_CHEAP_ROWS", 10)
        cached = CachedEncoder(FakeEncoder(), tmp_path)
        cached.encode([str(n) for n in range(100)], remember=True)
        cached.encode(["new"], remember=True)
        assert len(CachedEncoder(FakeEncoder(), tmp_path)) == 100
        cached.flush()
        assert len(CachedEncoder(FakeEncoder(), tmp_path)) == 101

    def test_changing_a_result_does_not_change_the_cache(self):
        cached = CachedEncoder(FakeEncoder(), None)
        first = cached.encode(["a"], remember=True)
        kept = first.copy()
        first[:] = 9
        assert np.array_equal(cached.encode(["a"]), kept)

    def test_threads_share_one_cache(self, tmp_path):
        cached, failures = CachedEncoder(FakeEncoder(), tmp_path), []
        expected = FakeEncoder().encode([str(n) for n in range(40)])

        def work(offset):
            for n in range(offset, offset + 20):
                rows = cached.encode([str(n % 40), str((n + 1) % 40)], remember=True)
                if not np.array_equal(rows, expected[[n % 40, (n + 1) % 40]]):
                    failures.append(n)

        threads = [threading.Thread(target=work, args=(10 * t,)) for t in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(CachedEncoder(FakeEncoder(), tmp_path)) == len(cached) == 40

    def test_max_rows_below_one(self):
        with pytest.raises(ConfigError, match="max_rows is 0"):
            CachedEncoder(FakeEncoder(), None, max_rows=0)


def test_encode_items_makes_a_cache_remember_and_takes_any_encoder():
    cached = CachedEncoder(FakeEncoder(), None)
    assert np.array_equal(encode_items(cached, ["a"]), encode_items(FakeEncoder(), ["a"]))
    assert len(cached) == 1


def test_importing_the_module_loads_no_torch():
    code = "import sys, coldstart.encoding.sentence_encoder as e; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    return SentenceEncoder.from_pretrained(encoder_folder, device="cpu")


class TestSentenceEncoder(EncoderContract):
    @pytest.fixture(autouse=True)
    def _encoder(self, encoder):
        self.encoder = encoder

    def make(self):
        return self.encoder

    def test_vectors_of_the_packaged_encoder(self, encoder):
        assert encoder.encode([]).shape == (0, 384)

    def test_the_same_title_in_another_order_is_very_near(self, encoder):
        one, same, other = encoder.encode(["The Godfather", "Godfather, The", "Toy Story"])
        assert one @ same > 0.9 > 0.5 > one @ other

    def test_name_follows_the_weights_and_settings(self, encoder_folder):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(encoder_folder), device="cpu")
        name = SentenceEncoder(model, "m").name
        assert name == SentenceEncoder.from_pretrained(encoder_folder).name.replace(
            encoder_folder.name, "m"
        )
        model.max_seq_length = 16
        shorter = SentenceEncoder(model, "m").name
        next(model.parameters()).data.add_(1e-3)
        assert len({name, shorter, SentenceEncoder(model, "m").name}) == 3

    def test_batch_size_below_one(self, encoder_folder):
        with pytest.raises(ConfigError, match="batch_size is 0"):
            SentenceEncoder.from_pretrained(encoder_folder, batch_size=0)


@pytest.mark.parametrize("content", [None, "{}", "not json"])
def test_a_folder_without_a_model(tmp_path, content):
    folder = tmp_path / "nothing"
    if content is not None:
        folder.mkdir()
        (folder / "config.json").write_text(content)
    with pytest.raises(ModelError, match="cannot load the encoder"):
        SentenceEncoder.from_pretrained(folder)
