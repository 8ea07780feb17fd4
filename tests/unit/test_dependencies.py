"""What is imported is declared in pyproject.toml, and what is declared is imported."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = {"processor", "tests", "scripts", "benchmarks"}
DISTRIBUTIONS = packages_distributions()


def imported(source: str) -> Iterator[str]:
    """The packages that a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def needed(*places: str) -> set[str]:
    """The distributions that the sources in folders, or files, import."""
    paths = [path for place in places for path in [ROOT / place, *(ROOT / place).rglob("*.py")]]
    found = {name for path in paths if path.is_file() for name in imported(path.read_text())}
    foreign = found - sys.stdlib_module_names - OURS
    # Of what is not installed here (atheris), the distribution has the package's name.
    return {normal(one) for name in foreign for one in DISTRIBUTIONS.get(name, [name])}


def declared(requirements: Iterable[object]) -> set[str]:
    """The distributions that a list of requirements names."""
    texts = [one for one in requirements if isinstance(one, str)]
    return {normal(re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0]) for one in texts}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


RUN = declared(PROJECT["project"]["dependencies"])
GROUPS = {name: declared(group) for name, group in PROJECT["dependency-groups"].items()}


def test_an_import_is_seen_wherever_it_stands() -> None:
    source = (
        "import a.b, c\nfrom d.e import f\nfrom . import g\nif x:\n    def h():\n        import i"
    )
    assert list(imported(source)) == ["a", "c", "d", "i"]


def test_a_requirement_is_known_by_its_name() -> None:
    assert declared(["a[b]>=1", "C_d>=2; x", "e.f", {"include-group": "g"}]) == {"a", "c-d", "e-f"}


def test_the_program_declares_what_it_imports_and_nothing_else() -> None:
    assert needed("processor") == RUN


def test_what_surrounds_the_program_imports_only_what_is_declared() -> None:
    assert needed("tests", "scripts", "benchmarks") <= RUN.union(*GROUPS.values())


def test_the_build_imports_only_what_it_declares() -> None:
    system = declared(PROJECT["build-system"]["requires"])
    assert needed("hatch_build.py") == system == GROUPS["build"]


def test_the_broker_is_built_by_any_python() -> None:
    assert needed("broker") == set()
