"""The command line ``live-orders``."""

import signal
import sys


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    # While there is nothing to clean up, Ctrl-C just ends the process: an exception could come
    # up anywhere, also where nobody can catch it. What has something to clean up takes the signal
    # for as long as it runs.
    _die_of_ctrl_c()
    from processor.cli.app import run_command_line

    exit_code = run_command_line()
    _die_of_ctrl_c()
    sys.exit(exit_code)


def _die_of_ctrl_c() -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)


__all__ = ["main"]
