"""The files that users copy: linted, of real fields, and of one mind."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from copy import deepcopy
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
import yaml

from coldstart import __version__
from coldstart.cli import app
from coldstart.errors import ColdstartError
from coldstart.serve.ray_app import DEFAULTS, DEPLOYMENT
from coldstart.serve.ray_args import AppArgs
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
SERVED = ["serve.yaml", "models.yaml", "rayservice.yaml"]
YAML = sorted(f.name for f in DEPLOY.glob("*.yaml"))
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="install '.[dev]'")


def read(name):
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def serve_config(name):
    """The config of Ray Serve in a file, or in the manifest that holds one."""
    (document,) = read(name)
    held = document.get("spec", {}).get("serveConfigV2")
    return yaml.safe_load(held) if held else document


def lint(tool, *args):
    """Run a linter of this environment; what it says, and whether it is content."""
    if not (BIN / tool).exists():
        pytest.skip(f"{tool} is not installed: pip install '.[dev]'")
    done = subprocess.run([BIN / tool, *args], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode == 0


def pods():
    """Every pod of the manifests, with its place."""
    (service,) = read("rayservice.yaml")
    cluster = service["spec"]["rayClusterConfig"]
    groups = {"head": cluster["headGroupSpec"]}
    groups |= {g["groupName"]: g for g in cluster["workerGroupSpecs"]}
    found = {name: group["template"]["spec"] for name, group in groups.items()}
    for document in read("kubernetes.yaml"):
        if document["kind"] == "Deployment":
            found["deployment"] = document["spec"]["template"]["spec"]
    found["patched"] = patched(found["deployment"])
    found["weekly"] = read("weekly.yaml")[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def patched(pod):
    """The deployment's pod with the volume of artifacts, as kubectl patch merges them."""
    (patch,) = read("artifacts-patch.yaml")
    added = patch["spec"]["template"]["spec"]
    (own,), (more,) = pod["containers"], added["containers"]
    assert own["name"] == more["name"]
    assert own["args"] == more["args"][: len(own["args"])]
    return {**pod, **added, "containers": [{**own, **more}]}


# -- linters --------------------------------------------------------------------------------------

STYLE = "{extends: default, rules: {line-length: {max: 110}, document-start: disable}}"


@pytest.mark.parametrize("name", YAML)
def test_yaml_is_in_order(name):
    told, fine = lint("yamllint", "--strict", "-d", STYLE, str(DEPLOY / name))
    assert fine, told


def test_the_image_is_in_order(tmp_path):
    told, fine = lint("hadolint", str(DEPLOY / "Dockerfile"))
    assert fine, told
    bad = tmp_path / "Dockerfile"
    bad.write_text((DEPLOY / "Dockerfile").read_text().replace("--no-install-recommends ", ""))
    told, fine = lint("hadolint", str(bad))
    assert not fine
    assert "DL3015" in told


def test_compose_is_of_real_fields(tmp_path):
    schema = "vendor.compose-spec"
    told, fine = lint("check-jsonschema", "--builtin-schema", schema, str(DEPLOY / "compose.yaml"))
    assert fine, told
    bad = tmp_path / "compose.yaml"
    bad.write_text((DEPLOY / "compose.yaml").read_text().replace("depends_on", "depend_on"))
    told, fine = lint("check-jsonschema", "--builtin-schema", schema, str(bad))
    assert not fine
    assert "depend_on" in told


PLAIN = [(name, n) for name in ("kubernetes.yaml", "weekly.yaml") for n in range(len(read(name)))]


@pytest.mark.parametrize(("name", "n"), PLAIN)
def test_plain_objects_are_of_real_fields(name, n):
    document = read(name)[n]
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", sorted(pods()))
def test_pods_are_of_real_fields(name):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pods()[name]}
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)
    bad = deepcopy(pod)
    bad["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(bad, kubernetes_validate.latest_version(), strict=True)


# Of KubeRay's resource, whose schema no package holds: the fields used here, from its reference.
_SPEC = {"serveConfigV2", "rayClusterConfig"}
_CLUSTER = {
    "rayVersion", "enableInTreeAutoscaling", "autoscalerOptions", "headGroupSpec",
    "workerGroupSpecs",
}  # fmt: skip
_AUTOSCALER = {"idleTimeoutSeconds", "resources"}
_HEAD = {"rayStartParams", "template"}
_WORKER = _HEAD | {"groupName", "replicas", "minReplicas", "maxReplicas"}


def test_the_ray_service_has_only_fields_of_its_resource():
    (service,) = read("rayservice.yaml")
    assert (service["apiVersion"], service["kind"]) == ("ray.io/v1", "RayService")
    assert set(service) == {"apiVersion", "kind", "metadata", "spec"}
    cluster = service["spec"]["rayClusterConfig"]
    assert set(service["spec"]) <= _SPEC
    assert set(cluster) <= _CLUSTER
    assert set(cluster["autoscalerOptions"]) <= _AUTOSCALER
    assert set(cluster["headGroupSpec"]) <= _HEAD
    for group in cluster["workerGroupSpecs"]:
        assert set(group) <= _WORKER
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert all(isinstance(v, str) for v in group["rayStartParams"].values())
        assert set(group["template"]) <= {"metadata", "spec"}
    assert cluster["rayVersion"] == pinned("ray")


# -- Ray Serve ------------------------------------------------------------------------------------


def given(model):
    """What a file has set of a model of Ray, and nothing that Ray has filled in."""
    return model.model_dump(exclude_unset=True, by_alias=True, mode="json")


@pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\..*")
@pytest.mark.parametrize("name", SERVED)
def test_ray_knows_every_field_of_the_config(name):
    pytest.importorskip("ray.serve", reason="pip install 'coldstart-rec[ray]'")
    from ray.serve.config import AutoscalingConfig
    from ray.serve.schema import ServeDeploySchema

    config = serve_config(name)
    schema = ServeDeploySchema.model_validate(config)
    assert given(schema) == config  # it passes over what it does not know
    for application in config["applications"]:
        (deployment,) = application["deployments"]
        assert deployment["name"] == DEPLOYMENT
        scaling = deployment["autoscaling_config"]
        assert given(AutoscalingConfig.model_validate(scaling)) == scaling


@pytest.mark.parametrize("name", SERVED)
def test_the_arguments_are_those_of_the_application(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    for application in serve_config(name)["applications"]:
        assert application["import_path"] == "coldstart.serve.ray_app:app"
        args = AppArgs.read(application["args"])
        (deployment,) = application["deployments"]
        room = deployment.get("max_ongoing_requests", DEFAULTS["max_ongoing_requests"])
        assert room > args.settings.queue, "Ray would refuse before the service does"
        stops = deployment.get("graceful_shutdown_timeout_s")
        assert stops is None or stops > args.settings.deadline
        assert not args.settings.open
        with pytest.raises(ColdstartError, match="args: artefact"):
            AppArgs.read(application["args"] | {"artefact": "x"})


def test_both_files_serve_the_same():
    one, other = serve_config("serve.yaml"), serve_config("rayservice.yaml")
    assert one["applications"] == other["applications"]
    assert one["http_options"].pop("host") == "127.0.0.1"
    assert other["http_options"].pop("host") == "0.0.0.0"
    assert one == other


# -- what no linter knows -------------------------------------------------------------------------


def pinned(package):
    found = re.search(rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
    return found[1]


def test_pods_are_nobody_and_hold_no_secret():
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert set(container["resources"]) == {"requests", "limits"}, name
            assert container["image"] == f"REGISTRY/coldstart:{__version__}"
            by_name = {e["name"]: e for e in container["env"]}
            for secret in ("COLDSTART_DB", "COLDSTART_SECRET_KEY"):
                assert "value" not in by_name[secret]
    assert {c["name"] for c in pods()["replicas"]["containers"]} == {"ray-worker"}


def test_no_password_is_in_any_file():
    (compose,) = read("compose.yaml")
    assert compose["services"]["db"]["environment"].keys() >= {"POSTGRES_PASSWORD_FILE"}
    assert "POSTGRES_PASSWORD" not in compose["services"]["db"]["environment"]
    assert not (DEPLOY / "secrets").exists()
    for file in DEPLOY.iterdir():
        for user in re.findall(r"//(\w+:[^@\s]+)@", file.read_text()):
            assert user == "coldstart:PASSWORD"  # in a comment that says what to put there


def test_the_image_takes_what_the_context_has():
    text = (DEPLOY / "Dockerfile").read_text()
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [line[1:] for line in allowed if line.startswith("!")]
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.*) \S+$", text, re.M)
        for source in line.split()
    ]
    assert set(copied) == set(let_in)
    assert all((ROOT / source).exists() for source in copied)
    assert allowed[1] == "*"
    for private in (".git", ".venv", "runs", "deploy/secrets"):
        assert not any(fnmatch(private, pattern) for pattern in let_in)
    extras = re.search(r"'\.\[(.*)\]'", text)[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras) <= set(project["optional-dependencies"])
    assert re.search(r"^USER 10001:10001$", text, re.M)
    assert f"coldstart:{__version__}" in (DEPLOY / "compose.yaml").read_text()


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
def test_secrets_become_variables_of_the_command(tmp_path):
    script = (DEPLOY / "entrypoint.sh").read_text().replace("/run/secrets", str(tmp_path))
    command = ["sh", "-c", script, "with-secrets", "sh", "-c", 'echo "[$PGPASSWORD|$0]"', "a b"]
    env = {"PATH": "/usr/bin:/bin"}
    run = lambda: subprocess.run(  # noqa: E731
        command, capture_output=True, text=True, check=True, env=env
    ).stdout.strip()
    assert run() == "[|a b]"
    (tmp_path / "db_password").write_text("it's $HOME `id`\n")
    (tmp_path / "secret_key").write_text("")
    assert run() == "[it's $HOME `id`|a b]"


def test_the_weekly_pods_see_the_artifacts_where_the_service_does():
    claim = read("weekly.yaml")[0]["metadata"]["name"]
    mounts = {}
    for name in ("weekly", "patched"):
        (volume,) = pods()[name]["volumes"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim
        (mount,) = pods()[name]["containers"][0]["volumeMounts"]
        mounts[name] = mount["mountPath"]
    assert mounts["weekly"] == mounts["patched"]
    env = {e["name"]: e.get("value") for e in pods()["weekly"]["containers"][0]["env"]}
    assert pods()["patched"]["containers"][0]["args"][-2:] == ["--artifact", env["ARTIFACT"]]


@pytest.fixture
def weekly(tmp_path):
    """Run the weekly script with a coldstart that notes how it is called, and makes a folder."""
    fake = tmp_path / "bin" / "coldstart"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1" = train ] || exit 0\n'
        f'[ -e {tmp_path}/fails ] && exit 2\nmkdir -p "$7"\n'
    )
    fake.chmod(0o755)

    def run(**env):
        given = {"COLDSTART_DB": "visits.db", "ARTIFACT": f"{tmp_path}/shop", **env}
        done = subprocess.run(
            ["sh", DEPLOY / "weekly.sh"],
            env={"PATH": f"{fake.parent}:/usr/bin:/bin", **given},
            capture_output=True,
            text=True,
            check=False,
        )
        calls = tmp_path / "calls"
        return done.returncode, calls.read_text().splitlines() if calls.exists() else []

    run.folder = tmp_path
    return run


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
def test_the_weekly_routine_trains_releases_and_keeps_the_latest(weekly):
    for day in range(1, 7):
        (weekly.folder / f"shop-2026-01-0{day}").mkdir()
    (weekly.folder / "shop").mkdir()
    (weekly.folder / "shop-notes").mkdir()
    code, calls = weekly(KEEP="3")
    assert code == 0
    train, use = calls
    made = re.search(r"--out (\S+/shop-\d{4}-\d\d-\d\d) --runs \S+$", train)[1]
    assert train.startswith(f"train --from visits.db --artifact {weekly.folder}/shop --out ")
    assert use == f"serve use {made} --share 1"
    left = sorted(p.name for p in weekly.folder.glob("shop*"))
    new = Path(made).name
    assert left == sorted(["shop", "shop-2026-01-05", "shop-2026-01-06", new, "shop-notes"])


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
def test_a_training_that_fails_releases_nothing(weekly):
    (weekly.folder / "fails").touch()
    code, calls = weekly(SHARE="0.2")
    assert code == 2
    assert [c.split()[0] for c in calls] == ["train"]
    (weekly.folder / "fails").unlink()
    assert weekly(SHARE="0.2")[1][-1].endswith("--share 0.2")


def test_the_weekly_routine_is_of_real_options():
    text = (DEPLOY / "weekly.sh").read_text()
    command = main_command()
    for line in re.findall(r"^coldstart (.*)$", text, re.M):
        words = line.split()
        found = command
        while words and hasattr(found, "commands") and words[0] in found.commands:
            found = found.commands[words.pop(0)]
        known = {o for p in found.params for o in p.opts}
        assert {w for w in words if w.startswith("--")} <= known, line


def main_command():
    """The whole command line."""
    return typer.main.get_command(app)


def test_the_extra_has_ray_serve():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (needed,) = project["optional-dependencies"]["ray"]
    assert re.fullmatch(r"ray\[.*serve.*\]>=2\.\d+", needed), needed
    assert tuple(map(int, version("ray").split(".")[:2])) >= (2, 60)
