"""Locked dependencies: every package by hash, and all that the project needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LOCKS = ROOT / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(name):
    """Requirement and hashes of each package of a lock."""
    text = (LOCKS / name).read_text("utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line.partition("--hash")[0])
        found[canonicalize_name(requirement.name)] = requirement, HASH.findall(line)
    return found


def needed(*extras):
    """Requirements of the project with extras, and of the extras that these name."""
    optional = PROJECT["optional-dependencies"]
    out = [Requirement(text) for text in PROJECT["dependencies"]]
    for extra in extras:
        for text in optional[extra]:
            one = Requirement(text)
            out += needed(*one.extras) if one.name == PROJECT["name"] else [one]
    return out


@pytest.mark.parametrize("name", ["dev.txt", "serve.txt", "torch.txt", "torch-cpu.txt"])
def test_every_locked_package_has_a_version_and_hashes(name):
    for requirement, hashes in entries(name).values():
        (pin,) = requirement.specifier
        assert pin.operator == "=="
        assert hashes, requirement.name


@pytest.mark.parametrize(
    ("name", "extras"), [("dev.txt", ["dev"]), ("serve.txt", ["serve", "postgres", "ray"])]
)
def test_a_lock_has_what_the_project_needs(name, extras):
    """It fails after a change of dependencies: ``make lock``."""
    locked = entries(name) | entries("torch.txt")
    for requirement in needed(*extras):
        pin = locked[canonicalize_name(requirement.name)][0].specifier
        version = next(iter(pin)).version
        assert requirement.specifier.contains(version, prereleases=True), requirement.name
    assert "hatchling" in locked  # builds are not isolated


def test_locks_agree_with_the_constraints_and_with_each_other():
    pins = (ROOT / "constraints.txt").read_text("utf-8").split()
    wanted = {canonicalize_name(n): v for n, v in (pin.split("==") for pin in pins)}
    for name in ("dev.txt", "serve.txt", "torch.txt"):
        for package, (requirement, _) in entries(name).items():
            version = next(iter(requirement.specifier)).version
            assert wanted.get(package, version) == version
    dev, serve = entries("dev.txt"), entries("serve.txt")
    assert set(serve) <= set(dev)
    for package, (requirement, hashes) in serve.items():  # markers may differ
        assert (requirement.specifier, hashes) == (dev[package][0].specifier, dev[package][1])


def test_pytorch_is_locked_with_and_without_cuda():
    usual, plain = entries("torch.txt"), entries("torch-cpu.txt")
    assert set(plain) == {"torch"}
    (with_cuda,), (without,) = usual["torch"][0].specifier, plain["torch"][0].specifier
    assert without.version == f"{with_cuda.version}+cpu"
    assert not set(plain["torch"][1]) & set(usual["torch"][1])
    others = set(entries("dev.txt")) | set(entries("serve.txt"))
    assert not others & set(usual)
    assert any(package.startswith("nvidia-") for package in usual)


def test_no_lock_names_a_host():
    for file in LOCKS.iterdir():
        if file.is_file():
            assert "://" not in file.read_text("utf-8"), file.name


def test_the_image_has_the_locked_packages_and_one_base():
    text = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.M)
    assert set(bases) == {"${BASE}", "build"}
    assert re.search(r"^ARG BASE=python:3\.11-\S+$", text, re.M)
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert all("--no-deps" in line for line in installs)
    assert sum("--require-hashes" in line for line in installs) == 2
    assert re.search(r"^COPY locks locks$", text, re.M)


def test_images_are_pinned_all_or_none(tmp_path, monkeypatch):
    sys.path.insert(0, str(ROOT / "deploy"))
    try:
        import pin_images
    finally:
        sys.path.pop(0)
    for name in pin_images.PLACES:
        (tmp_path / name).write_text((ROOT / "deploy" / name).read_text("utf-8"), "utf-8")
    monkeypatch.setattr(pin_images, "DEPLOY", tmp_path)
    monkeypatch.setattr(pin_images.shutil, "which", lambda _: None)
    before = [(tmp_path / name).read_text("utf-8") for name in pin_images.PLACES]
    with pytest.raises(SystemExit, match="no docker here"):
        pin_images.main()
    assert [(tmp_path / name).read_text("utf-8") for name in pin_images.PLACES] == before
    digest = "sha256:" + "0f" * 32
    done = subprocess.CompletedProcess([], 0, stdout=digest + "\n", stderr="")
    monkeypatch.setattr(pin_images.shutil, "which", lambda _: "docker")
    monkeypatch.setattr(pin_images.subprocess, "run", lambda *_, **__: done)
    for _ in range(2):  # a second run replaces the digest
        pin_images.main()
    assert f"ARG BASE=python:3.11-slim-bookworm@{digest}\n" in (tmp_path / "Dockerfile").read_text()
    assert f"image: postgres:17-bookworm@{digest}\n" in (tmp_path / "compose.yaml").read_text()
