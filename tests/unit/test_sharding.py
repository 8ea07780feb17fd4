"""Users are spread as Kafka's Java client spreads keys."""

import random

import pytest
from aiokafka.partitioner import murmur2 as aiokafka_murmur2

from processor.core.murmur2_lanes import murmur2_of_each
from processor.core.sharding import murmur2, stream_of
from tests import model

# From the Java client's own UtilsTest; its results are signed.
JAVA_VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("data", "signed"), JAVA_VECTORS.items())
def test_murmur2_is_that_of_the_java_client(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed % 2**32


@pytest.mark.parametrize("length", range(40))
def test_murmur2_is_that_of_aiokafka(length: int) -> None:
    chance = random.Random(length)
    for _ in range(20):
        data = chance.randbytes(length)
        assert murmur2(data) == aiokafka_murmur2(data) % 2**32


@pytest.mark.parametrize(("data", "signed"), JAVA_VECTORS.items())
def test_the_models_own_murmur2_agrees(data: bytes, signed: int) -> None:
    assert model.murmur2(data) == signed % 2**32


@pytest.mark.parametrize("num_streams", [1, 2, 3, 7, 8, 1000])
def test_a_stream_is_the_positive_hash_modulo_the_streams(num_streams: int) -> None:
    for user in ("alice", "bob", "é", "😀", "21", "foobar"):
        expected = (aiokafka_murmur2(user.encode()) & 0x7FFFFFFF) % num_streams
        assert stream_of(user, num_streams) == expected


def test_users_are_spread_over_all_streams() -> None:
    assert {stream_of(f"user{n}", 7) for n in range(200)} == set(range(7))


@pytest.mark.parametrize("length", range(70))
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 250])
def test_many_hashes_at_once_are_those_of_one_by_one(length: int, count: int) -> None:
    chance = random.Random(length)
    keys = [chance.randbytes(length) for _ in range(count)]
    assert murmur2_of_each(keys) == [murmur2(key) for key in keys]


def test_keys_of_all_lengths_keep_their_places() -> None:
    chance = random.Random(7)
    keys = [chance.randbytes(chance.randrange(9)) for _ in range(500)]
    keys += [b"", b"\xff" * 64, bytes(64)]
    assert murmur2_of_each(keys) == [murmur2(key) for key in keys]
