"""Reading many partitions, committed records only: a protocol without I/O."""
