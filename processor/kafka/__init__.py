"""The ports of the runtime on aiokafka: the only package that imports it."""
