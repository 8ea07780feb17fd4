"""Makes `schemas/`, the contract for any language, from `processor.wire`: see `scripts/schemas`."""
