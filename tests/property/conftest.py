"""How hypothesis runs here. Its seed comes from ``scripts/test``, which prints it."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "live-orders",
    max_examples=200,
    derandomize=False,
    # A slow or busy machine is no failure.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("live-orders")
