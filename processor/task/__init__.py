"""One stream's life: identity, ports, lifecycle, loop and restore, and the group's side of it.

It is asyncio over the ports. It knows no client library and no environment.
"""
