"""Which live order has an id, over all streams: shards, and their messages with streams."""
