"""Requests of Kafka's protocol that aiokafka 0.14 lacks, or has only in old versions.

Each is a subclass of aiokafka's request classes and goes out through its client. Tagged fields are
only ever sent empty: aiokafka writes others without their size.
"""
