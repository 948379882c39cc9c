"""Training on two processes that real launchers start: as on one, resumed, killed, refused.

Tolerances: in float32, two processes add the same gradients in another order, which is worth 1e-6
of them; Adam steps are 1e-2 here, so weights that agree to 1e-4 took the same steps. Gradients are
compared before they are clipped, since clipping and Adam both hide a wrong scale. In bfloat16 each
process rounds its own gradient to 8 bits, about 1 %.
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from coldstart import cli
from coldstart.errors import ConfigError
from coldstart.settings import TrainConfig
from coldstart.training.launcher import apply_launcher
from coldstart.training.loss import BatchShare, _some
from coldstart.training.processes import partition_of
from coldstart.training.sequences import Sizes
from tests.toy import save_tiny_base, toy_dataset, toy_split
from tests.training import distributed_worker as worker
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ACCELERATE = [
    *(BIN / "accelerate", "launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
    *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"),
]
FSDP = [
    *(BIN / "accelerate", "launch", "--config_file", ROOT / "deploy" / "accelerate-fsdp.yaml"),
    *("--main_process_port", "0"),
]
TORCHRUN = [BIN / "torchrun", "--nproc-per-node", "2", "--standalone"]


def started(launcher: list[Any], module: str, *arguments: Any) -> subprocess.Popen[str]:
    """A launcher at work, whose output is one pipe; it leads a process group of its own."""
    mine = ("OMP_NUM_THREADS", "RANK", "WORLD_SIZE", "MASTER_ADDR")
    clean = {n: v for n, v in os.environ.items() if n not in mine}
    return subprocess.Popen(
        [str(part) for part in (*launcher, "-m", module, *arguments)],
        env=clean | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and output; nothing of it is left running."""
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output


def launched(launcher: list[Any], module: str, *arguments: Any) -> tuple[int, str]:
    return ended(started(launcher, module, *arguments))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny_base(tmp_path_factory.mktemp("base") / "tiny-llama")


@pytest.fixture(scope="module")
def together(base, tmp_path_factory):
    """The folder of every scene on two processes, and of one begun here and ended there."""
    out = tmp_path_factory.mktemp("together")
    worker.run(worker.trainer_of("distil", base, out / "from-one"), cut=worker.CUT)
    code, output = launched(ACCELERATE, "tests.training.distributed_worker", base, out)
    assert code == 0, output
    return out


@pytest.fixture(scope="module")
def alone(base, tmp_path_factory):
    """(trainer, what it found) of a scene on one process, trained when asked for."""
    out, made = tmp_path_factory.mktemp("alone"), {}

    def train(scene: str) -> Any:
        if scene not in made:
            trainer = worker.trainer_of(scene, base, out / scene)
            made[scene] = trainer, worker.run(trainer)
        return made[scene]

    return train


def assert_alike(found: Any, expected: Any, rel: float) -> None:
    """Every figure of every step and epoch, and every gradient's norm, up to rounding."""
    assert found["best"] == expected["best"]
    assert found["norms"] == pytest.approx(expected["norms"], rel=rel)
    assert len(found["rows"]) == len(expected["rows"])
    for ours, theirs in zip(found["rows"], expected["rows"], strict=True):
        assert ours.pop("stage") == theirs["stage"]
        figures = {name: value for name, value in theirs.items() if name != "stage"}
        assert ours == pytest.approx(figures, rel=rel, abs=1e-9)


def read(folder: Path, index: int) -> tuple[Any, list[torch.Tensor]]:
    found = json.loads((folder / f"{index}.json").read_text(encoding="utf-8"))
    return found, torch.load(folder / f"{index}.pt")


@pytest.mark.parametrize("scene", ["distil", "branch", "completion", "alone"])
def test_two_processes_take_the_steps_of_one(together, alone, scene):
    trainer, expected = alone(scene)
    found, weights = read(together / scene, 0)
    assert found["processes"] == 2
    assert_alike(found, expected, rel=1e-4)
    for ours, theirs in zip(weights, trainer.masters, strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=1e-4)


def test_two_processes_in_bfloat16_stay_near_one(together, alone):
    _, expected = alone("bfloat16")
    found, weights = read(together / "bfloat16", 0)
    assert {w.dtype for w in weights} == {torch.float32}
    assert found["norms"] == pytest.approx(expected["norms"], rel=0.05)
    last, wanted = found["rows"][-1], expected["rows"][-1]
    assert last["valid_loss"] == pytest.approx(wanted["valid_loss"], rel=0.05)


@pytest.mark.parametrize("scene", worker.SCENES)
def test_both_processes_end_with_the_same_adapter_and_only_one_reports(together, scene):
    (found, weights), (other, others) = (read(together / scene, n) for n in (0, 1))
    assert all(torch.equal(a, b) for a, b in zip(weights, others, strict=True))
    assert other["norms"] == found["norms"]
    assert other["best"] == found["best"]
    assert other["rows"] == []


def test_a_run_begun_on_one_process_goes_on_on_two(together, alone):
    trainer, _ = alone("distil")
    ours = load_file(together / "from-one" / "checkpoint" / "state.safetensors")
    theirs = load_file(trainer.out / "checkpoint" / "state.safetensors")
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        torch.testing.assert_close(ours[name], values, rtol=1e-3, atol=1e-4)


def test_a_run_begun_on_two_processes_goes_on_on_one(base, together, alone):
    trainer, _ = alone("distil")
    second = worker.trainer_of("distil", base, together / "cut")
    assert second.resume()
    assert second.updates == worker.CUT
    second.run()
    for ours, theirs in zip(second.masters, trainer.masters, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_a_model_in_parts_takes_the_same_steps(base, alone, tmp_path):
    code, output = launched(FSDP, "tests.training.distributed_worker", base, tmp_path)
    assert code == 0, output
    for scene in worker.SHARDED:
        trainer, expected = alone(scene)
        found, weights = read(tmp_path / scene, 0)
        assert found["held"] == worker.held_bytes(trainer) / 2
        assert_alike(found, expected, rel=1e-4)
        for ours, theirs in zip(weights, trainer.masters, strict=True):
            torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=1e-4)


# -- the command ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def command(base, tmp_path_factory):
    """Arguments of ``coldstart train`` on the toy data, and a folder for what it makes."""
    folder, data = tmp_path_factory.mktemp("command"), toy_dataset()
    tables = {
        "items": [["item_id", "title", "year", "categories"]]
        + [[i.item_id, i.title, i.year, "|".join(i.categories)] for i in data.catalog],
        "users": [["user_id", "age", "gender", "occupation"]]
        + [[u, p.age, p.gender, p.occupation] for u, p in data.users.items()],
        "interactions": [["user_id", "item_id", "rating", "timestamp"]]
        + [[u, i, 5, n] for u, likes in data.likes.items() for n, i in enumerate(likes)],
    }
    arguments: list[Any] = ["train", "--base", base]
    for name, rows in tables.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows(rows)
        arguments += [f"--{name}", folder / f"{name}.csv"]
    quick = {"epochs": 4, "patience": 4, "batch-users": 5, "titles": 6, "lora-rank": 4}
    quick |= {"learning-rate": 0.01, "valid-users": 4}
    arguments += [part for name, value in quick.items() for part in (f"--{name}", value)]
    return [*arguments, "--everything", "--device", "cpu", "--dtype", "float32"], folder


def placed(folder: Path, name: str) -> list[Any]:
    return ["--out", folder / name, "--runs", folder / f"{name}-run"]


def test_the_command_killed_on_two_processes_ends_and_goes_on_on_one(command, capsys):
    arguments, folder = command
    code, output = launched(ACCELERATE, "coldstart", *arguments, *placed(folder, "whole"))
    assert code == 0, output
    assert len(re.findall(r"epoch 4 of 4, [^\n]*; ", output)) == 1, output
    assert output.count("how good") == 1

    given = [*arguments, *placed(folder, "cut")]
    cut = started(TORCHRUN, "tests.training.distributed_worker", "hold", *given)
    lines = folder / "cut-run" / "metrics.jsonl"
    written = lambda: lines.is_file() and lines.read_text().count("\n") >= 2  # noqa: E731
    until(lambda: cut.poll() is not None or written(), "two lines of the run")
    assert cut.poll() is None, ended(cut)
    ranks = {p.environ().get("RANK"): p for p in psutil.Process(cut.pid).children(recursive=True)}
    ranks["1"].kill()
    code, output = ended(cut)
    assert code != 0, output
    assert output.count("error: ") <= 1
    assert output.count("Traceback") <= 1, output  # the launcher's own
    assert not (folder / "cut").exists()
    done = lines.read_text().count("\n")
    assert 2 <= done < 5

    capsys.readouterr()
    code = cli.main([str(word) for word in given])
    output = "".join(capsys.readouterr())
    assert code == 0, output
    assert "epoch 4 of 4" in output
    assert not re.search(r"epoch 1 of 4, [^\n]*; ", output)
    whole, resumed = (folder / f"{n}-run" / "metrics.jsonl" for n in ("whole", "cut"))
    last, wanted = (json.loads(p.read_text().splitlines()[-1]) for p in (resumed, whole))
    for name in ("valid_loss", "valid_validity", "valid_ndcg@10_k0"):
        assert last[name] == pytest.approx(wanted[name], rel=1e-4)
    adapters = [
        load_file(folder / name / "adapter" / "adapter_model.safetensors")
        for name in ("whole", "cut")
    ]
    for name, values in adapters[0].items():
        torch.testing.assert_close(adapters[1][name], values, rtol=0, atol=1e-4)


def test_a_process_that_fails_ends_all_with_one_message(command):
    arguments, folder = command
    given = [*arguments, *placed(folder, "failed")]
    code, output = launched(TORCHRUN, "tests.training.distributed_worker", "fail", *given)
    assert code != 0
    assert output.count("error: ") == 1, output
    assert output.count("Traceback") <= 1, output  # the launcher's own
    assert "error: swap: No space left on device" in output
    assert not (folder / "failed").exists()


def test_launched_for_several_processes_but_started_as_one(command):
    arguments, folder = command
    launcher = [BIN / "accelerate", "launch", "--cpu", "--num_processes", "2"]
    code, output = launched(launcher, "coldstart", *arguments, *placed(folder, "one"))
    assert code != 0
    assert "accelerate launch --cpu was to start several processes, but has started one" in output
    assert "--multi_gpu instead of --cpu" in output
    assert not (folder / "one-run").exists()


SEVERAL = {"ACCELERATE_MIXED_PRECISION": "no", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}


@pytest.mark.parametrize(
    ("said", "change", "message"),
    [
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, {}, "does not run on DeepSpeed .*--use_fsdp"),
        ({"ACCELERATE_USE_MEGATRON_LM": "true"}, {}, "does not run on Megatron-LM"),
        ({"ACCELERATE_USE_PARALLELISM_CONFIG": "true"}, {}, "on a parallelism config"),
        ({"ACCELERATE_USE_FSDP": "true"}, {}, "on FSDP 1 .*--fsdp_version 2"),
        (
            {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_OFFLOAD_PARAMS": "true"},
            {},
            "does not know --fsdp_offload_params",
        ),
        ({"ACCELERATE_DYNAMO_BACKEND": "INDUCTOR"}, {}, "--dynamo_backend is inductor"),
        ({"ACCELERATE_MIXED_PRECISION": "fp16"}, {}, "--mixed_precision fp16 .*--dtype bfloat16"),
        ({"ACCELERATE_MIXED_PRECISION": "fp8"}, {}, "--mixed_precision fp8"),
        ({"ACCELERATE_MIXED_PRECISION": "bf16"}, {"dtype": "float32"}, "against --dtype float32"),
        (
            {"ACCELERATE_MIXED_PRECISION": "no", "MASTER_ADDR": "127.0.0.1"},
            {},
            "has started one .*torchrun",
        ),
        (SEVERAL, {"device": "cuda:0"}, "--device cuda:0 for several processes"),
    ],
)
def test_what_a_launcher_asks_for_in_vain_is_refused(said, change, message):
    with pytest.raises(ConfigError, match=message):
        apply_launcher(TrainConfig(**change), said)


def test_mixed_precision_of_the_launcher_is_our_bfloat16():
    bf16 = {"ACCELERATE_MIXED_PRECISION": "bf16"}
    assert apply_launcher(TrainConfig(), bf16).dtype == "bfloat16"
    assert apply_launcher(TrainConfig(dtype="bfloat16"), SEVERAL | bf16).dtype == "bfloat16"
    one = TrainConfig(device="cuda:1")
    assert apply_launcher(one, {}) is one
    assert apply_launcher(TrainConfig(dtype="float32"), SEVERAL).dtype == "float32"


# -- sharing out ------------------------------------------------------------------------------


@given(n=st.integers(0, 200), count=st.integers(1, 20))
def test_shares_are_neighbours_of_almost_one_size(n, count):
    shares = [partition_of(n, index, count) for index in range(count)]
    assert [place for share in shares for place in share] == list(range(n))
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1


@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=6),
    part=st.sampled_from([0.1, 0.25, 0.9, 1.0]),
    seed=st.integers(0, 9),
)
def test_positions_picked_by_all_shares_are_those_of_the_whole_batch(sizes, part, seed):
    batches, picked = [Sizes(1, n, 2 * n) for n in sizes], []
    for index, own in enumerate(batches):
        share = BatchShare.of(batches, index)
        rng = torch.Generator().manual_seed(seed)
        before, whole = share.before.title_rows, share.whole.title_rows
        picked += (_some(own.title_rows, part, rng, before, whole) + before).tolist()
    assert share.whole == Sizes(len(sizes), sum(sizes), 2 * sum(sizes))
    total = sum(sizes)
    expected = _some(total, part, torch.Generator().manual_seed(seed), 0, total)
    assert sorted(picked) == sorted(expected.tolist())


def test_the_sequences_of_all_shares_are_those_of_the_whole_batch(base, tmp_path):
    trainer = worker.trainer_of("distil", base, tmp_path)

    @given(st.lists(st.sampled_from(toy_split().train), min_size=1, max_size=7), st.integers(1, 9))
    def check(users: list[str], count: int) -> None:
        def batch(mine: range | None = None) -> Any:
            rng = np.random.default_rng(len(users))
            return trainer.builder.batch(users, trainer.tokens_of, rng, mine)

        whole, row = batch(), 0
        parts = [batch(partition_of(len(users), index, count)) for index in range(count)]
        for index, part in enumerate(parts):
            for own in range(len(partition_of(len(users), index, count))):
                padded = torch.nn.functional.pad(
                    part.tokens[own], (0, whole.tokens.shape[1] - part.tokens.shape[1])
                )
                assert torch.equal(padded, whole.tokens[row])
                row += 1
        for name in ("position", "edge", "target", "title_position", "title_token"):
            joined = torch.cat([getattr(part, name) for part in parts])
            assert torch.equal(joined, getattr(whole, name))
        assert tuple(map(sum, zip(*(part.sizes for part in parts), strict=True))) == whole.sizes

    check()
