"""Kafka transactions as machines without I/O: requests out, responses in.

`session.TransactionSession` drives the transactions of one producer id. `acquire.Acquisition`
gets that producer id. Both are driven by a shell that sends their requests and hands in the
answers (`processor.kafka.transactions_driver`).

Nothing here knows aiokafka, asyncio, a clock, chance or the environment. Time comes in as an
argument in milliseconds. Records are opaque batches with a count and a size.
"""
