"""Reading the output topics: ranges, views, changes, and following them.

It knows its ports and the core: no client library and no environment.
"""
