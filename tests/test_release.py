"""What a release says about itself: one version, one date, files that others can read."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
import yaml

import coldstart
from tests.conftest import ROOT

RELEASED = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", re.MULTILINE)
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_version_has_one_source():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in pyproject["project"]
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["hatch"]["version"] == {"path": "coldstart/__init__.py"}


def test_changelog_and_citation_agree_with_the_version():
    """After a change of the version: docs/releasing.md, step 1."""
    version, date = RELEASED.findall(CHANGELOG)[0]
    assert version == coldstart.__version__ == CITATION["version"]
    assert date == str(CITATION["date-released"])


def test_the_changelog_begins_with_what_is_not_released():
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = [RELEASED.fullmatch(f"## {heading}") for heading in headings[1:]]
    assert all(released)
    dates = [match[2] for match in released]
    assert dates == sorted(dates, reverse=True)


SCHEMAS = [
    ("vendor.citation-file-format", "CITATION.cff"),
    ("vendor.dependabot", ".github/dependabot.yml"),
    ("vendor.github-workflows", ".github/workflows/ci.yml"),
    ("vendor.github-workflows", ".github/workflows/docs.yml"),
    ("custom.github-workflows-require-timeout", ".github/workflows/ci.yml"),
    ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
    ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/bug.yml"),
    ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/idea.yml"),
    ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/list.yml"),
]


def valid(schema, path):
    command = ["check_jsonschema", "--builtin-schema", schema, "--force-filetype", "yaml"]
    return subprocess.run(
        [sys.executable, "-m", *command, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.parametrize(("schema", "path"), SCHEMAS, ids=lambda value: value)
def test_a_file_fulfils_its_schema(schema, path):
    done = valid(schema, path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_schema_refuses_what_is_wrong(tmp_path):
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text(text.replace("title:", "titel:"), encoding="utf-8")
    assert valid("vendor.citation-file-format", tmp_path / "CITATION.cff").returncode == 1


def test_every_template_of_github_is_checked():
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / ".github").rglob("*.yml")}
    assert found == {path for _, path in SCHEMAS if path.startswith(".github")}


def test_github_runs_what_ci_runs():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    runs = [step["run"] for step in workflow["jobs"]["ci"]["steps"] if "run" in step]
    assert runs == ["bash .ci/run"]
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    made = {target for line in re.findall(r"\bmake ([a-z -]+)", script) for target in line.split()}
    assert {"lint", "types", "docs", "obedience", "test"} <= made


def test_hooks_use_the_installed_tools():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        command, *_ = hook["entry"].removeprefix(".venv/bin/").split()
        assert f"$(BIN)/{command}" in makefile  # what `make lint types` runs, too


def test_the_conduct_names_a_contact_that_security_has():
    conduct = (ROOT / "CODE_OF_CONDUCT.md").read_text(encoding="utf-8")
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "[SECURITY.md](SECURITY.md#reporting)" in conduct
    assert "\n## Reporting\n" in security
    for text in (conduct, security):
        assert '"Report a\nvulnerability"' in text or '"Report a vulnerability"' in text
    assert "INSERT CONTACT METHOD" not in conduct
