"""The import rules of CONTRIBUTING.md hold."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_import_rule_is_kept() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint_imports, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 kept" not in result.stdout


def test_importing_the_core_brings_in_neither_kafka_nor_the_command_line() -> None:
    code = (
        "import sys, processor, processor.core.orders.snapshot, processor.reader.view;"
        "import processor.wire.dead_letter;"
        "unwanted = {'aiokafka', 'pydantic_settings', 'typer', 'uvloop'};"
        "sys.exit(', '.join(unwanted & set(sys.modules)) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
