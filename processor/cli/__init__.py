"""The command line ``live-orders``."""

import signal
import sys


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    # Ctrl-C while the commands are still being imported ends the process, without a traceback.
    default = signal.getsignal(signal.SIGINT)
    if default is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from processor.cli.app import run_command_line

    signal.signal(signal.SIGINT, default)
    sys.exit(run_command_line())


__all__ = ["main"]
