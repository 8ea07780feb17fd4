"""Composition: the one place where settings, ports and Kafka are joined, a file for each use.

It knows everything but the command line.
"""
