"""What is written down is true: links lead somewhere, commands exist, variables in the deployment files are settings."""

import re
import shlex
import subprocess
import tomllib

import pytest
from installation import REPOSITORY, binary

MARKDOWN = sorted(p for p in REPOSITORY.rglob("*.md") if not {"target", ".work", "node_modules"} & set(p.relative_to(REPOSITORY).parts))
COMMANDS_IN = [p for p in MARKDOWN if p.name in ("README.md", "CONTRIBUTING.md") and p.parent == REPOSITORY] + sorted(
    (REPOSITORY / "docs").rglob("*.md"))
DEPLOYED = [REPOSITORY / "docker-compose.yml", REPOSITORY / "deploy/docker/Dockerfile", *sorted((REPOSITORY / "deploy/systemd").iterdir())]


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def commands() -> list[str]:
    """Each `loa …` line in a block of code: its words up to the first that is an argument or an option."""
    found = set()
    for path in COMMANDS_IN:
        for block in re.findall(r"```(?:sh|console)?\n(.*?)```", path.read_text(), flags=re.S):
            for line in block.splitlines():
                match = re.match(r"\s*(?:\$ )?loa ([a-z].*)", line)
                if match:
                    words = shlex.split(match.group(1), comments=True)
                    options = [word.split("=")[0] for word in words if word.startswith("--")]
                    found.add((" ".join(w for w in words[:2] if re.fullmatch(r"[a-z-]+", w)), *options))
    return sorted(found)


@pytest.mark.parametrize("command", commands(), ids=lambda command: " ".join(command))
def test_commands_in_the_documents_exist(command):
    words, *options = command
    words = words.split()
    if len(words) == 2 and run(*words, "--help").returncode != 0:
        words = words[:1]  # the second word was an argument
    told = run(*words, "--help")
    assert told.returncode == 0, told.stderr
    for option in options:
        assert re.search(rf"{re.escape(option)}\b", told.stdout), f"loa {' '.join(words)} has no {option}"


RULES = {  # each table of rules: its rows in their order
    "docs/feed-behaviours.md": [str(number) for number in range(1, 21)],
    "docs/websub-rules.md": [f"{kind}{number}" for kind, most in (("P", 4), ("", 20), ("W", 9), ("A", 18)) for number in range(1, most + 1)],
    "SECURITY.md": [f"{kind}{number}" for kind, most in (("S", 16), ("R", 1), ("E", 4), ("T", 3), ("C", 3), ("M", 2), ("W", 1), ("L", 2)) for number in range(1, most + 1)],
    "docs/operating/broker-administrator.md": [
        f"{kind}{number}" for kind, most in (("R", 6), ("T", 6), ("P", 6), ("L", 5), ("U", 4)) for number in range(1, most + 1)],
}


@pytest.mark.parametrize("path", RULES)
def test_every_rule_of_a_table_is_proved_by_tests_that_are_there(path):
    rows = re.findall(r"^\| ([A-Z]?\d+) \| .* \| (.*) \|$", (REPOSITORY / path).read_text(), flags=re.M)
    assert [name for name, _ in rows] == RULES[path]
    sources = [*(REPOSITORY / "crates").rglob("*.rs"), *(REPOSITORY / "tests").rglob("*.rs"), *(REPOSITORY / "tests").rglob("test_*.py")]
    known = set(re.findall(r"\b(?:fn|def) (\w+)", "\n".join(path.read_text() for path in sources if ".work" not in path.parts)))
    for name, tests in rows:
        named = set(re.findall(r"`(\w+)`", tests))
        assert named and named <= known, (name, named - known)


def run(*arguments: str):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
def test_variables_in_the_deployment_files_are_settings(path):
    known = set()

    def walk(table: dict, names: tuple) -> None:
        for name, value in table.items():
            walk(value, (*names, name)) if isinstance(value, dict) else known.add("__".join((*names, name)).upper())

    walk(tomllib.loads((REPOSITORY / "config/default.toml").read_text()), ())
    used = set(re.findall(r"\bLOA__(\w+?)(?==|:)", path.read_text()))
    assert used <= known, used - known
