"""The wire: every record Live Orders reads or writes, as pydantic types with their JSON.

Imports pydantic and the standard library only, so that any consumer can use it alone.
"""
