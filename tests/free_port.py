"""A port for what cannot choose one by itself."""

import random
import socket


def free_port() -> int:
    """A port that is free together with the next one, below those that systems hand out.

    Begun anywhere, so that two test runs at once do not meet.
    """
    for port in random.sample(range(28_100, 29_000, 2), 450):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port
    raise AssertionError("no free port")
