"""Where the embedded broker's program is: in the package, or built from a checkout."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

from processor.errors import UsageError

_NAME: Final = "live-orders-broker.exe" if os.name == "nt" else "live-orders-broker"
_PACKAGED: Final = Path(__file__).parent / _NAME
_BUILD: Final = Path(__file__).resolve().parent.parent.parent / "broker" / "build.py"


async def find_program() -> Path:
    """The program; in a checkout it is built at the first need, which takes about a minute.

    Raises:
        UsageError: it is not there and cannot be built.
    """
    if _PACKAGED.exists():
        return _PACKAGED
    if _BUILD.exists():
        return await _built()
    raise UsageError(
        "this installation was built without the embedded broker (LIVE_ORDERS_BUILD_BROKER=0): "
        "install it anew without that, or use a Kafka of your own"
    )


async def _built() -> Path:
    """The output of broker/build.py, which says on standard error what it is doing."""
    build = await asyncio.create_subprocess_exec(
        sys.executable, _BUILD, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        output, _ = await build.communicate()
    except asyncio.CancelledError:
        os.killpg(build.pid, signal.SIGTERM)  # its compilers too
        await build.wait()
        raise
    if build.returncode:
        raise UsageError("the embedded broker could not be built: the lines above say why")
    return Path(os.fsdecode(output).strip())
