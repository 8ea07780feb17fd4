"""For scripts/test: can a Kafka be had in a container? If not, why not, and exit code 1."""

import sys

from tests.containers.engine import KAFKA_IMAGE, why_no_image

sys.exit(why_no_image(KAFKA_IMAGE))
