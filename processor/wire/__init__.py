"""Every record on the wire: its type, reading and writing.

It knows pydantic and the standard library's pure parts: no client library, and nothing else of this
project.
"""
