"""The pure rules, in three rooms: orders, directory and event time.

No Kafka, event loop, clock, chance or environment. Time comes in as an argument.
"""
