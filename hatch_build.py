"""Puts the embedded broker into the wheel; LIVE_ORDERS_BUILD_BROKER=0 leaves it out.

An editable install has none either: there it is built at the first need.
"""

import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BrokerHook(BuildHookInterface[Any]):
    """The hook that pyproject.toml asks for."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it and add it."""
        if version == "editable" or os.environ.get("LIVE_ORDERS_BUILD_BROKER") == "0":
            return
        build = Path(self.root, "broker", "build.py")
        built = subprocess.run([sys.executable, build], stdout=subprocess.PIPE, text=True)
        if built.returncode:
            sys.exit(
                "The embedded broker could not be built; the lines above say why. For a wheel "
                "without it, which needs a Kafka of your own: LIVE_ORDERS_BUILD_BROKER=0."
            )
        program = Path(built.stdout.strip())
        build_data["force_include"][str(program)] = f"processor/embedded/{program.name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platforms()}"


def _platforms() -> str:
    """Where it runs: it is static, so on every Linux of this processor."""
    machine = platform.machine()
    match sys.platform:
        case "linux":
            return f"manylinux_2_17_{machine}.manylinux2014_{machine}.musllinux_1_1_{machine}"
        case "darwin":
            return f"macosx_12_0_{machine}"  # the oldest that Go builds for
        case _:
            return sysconfig.get_platform().replace("-", "_").replace(".", "_")
