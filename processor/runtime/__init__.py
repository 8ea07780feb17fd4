"""The asyncio shell over ports: tasks, restore, supervision. No aiokafka and no order rules."""
