"""The ports of tasks and readers on aiokafka. No other package imports it."""
