"""Bringing a task back from what is committed: its orders, its shard, its progress."""
