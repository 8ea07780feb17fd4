"""Live orders and snapshot chunks as JSON."""

import json

import pytest
from pydantic import ValidationError

from processor.core.orders.order import from_record
from processor.core.orders.records import order_json
from processor.wire.live_order import LIVE_ORDER, parse_live_order
from processor.wire.snapshot import CHUNK, join_chunk
from tests.builders import order, record

ORDER = order('注"\\😀', user_id="é", status="paused", placed_seq=3, seq=9, placed_at_us=1_500)


def test_a_live_order_survives_the_round_trip() -> None:
    assert from_record(parse_live_order(order_json(ORDER, 5))) == ORDER


def test_a_live_order_has_exactly_the_fields_of_the_design() -> None:
    assert json.loads(order_json(ORDER, 5)) == {
        "schema": 1,
        "order_id": '注"\\😀',
        "user_id": "é",
        "currency": "BTC",
        "amount": "1.50",
        "price": "2",
        "status": "paused",
        "placed_at": "1970-01-01T00:00:00.001500Z",
        "updated_at": "1970-01-01T00:00:00.001500Z",
        "stream": 5,
        "placed_seq": 3,
        "seq": 9,
    }


def test_a_live_order_is_written_as_pydantic_would_write_it() -> None:
    assert order_json(ORDER, 5) == LIVE_ORDER.dump_json(record(ORDER, 5))


def test_the_time_of_the_last_change_survives_beside_that_of_the_place() -> None:
    changed = ORDER._replace(updated_at_us=7_000)
    assert from_record(record(changed)) == changed


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_live_order_of_an_unknown_schema_is_refused(version: object) -> None:
    value = json.dumps(record(ORDER) | {"schema": version})
    with pytest.raises(ValidationError):
        parse_live_order(value.encode())


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_joined_chunk_is_what_pydantic_would_write(count: int) -> None:
    orders = [order(f"o{n}", placed_seq=n) for n in range(count)]
    joined = join_chunk('id"]}', 7, [order_json(one, 2) for one in orders])
    records = [record(one, 2) for one in orders]
    assert joined == CHUNK.dump_json({"snapshot_id": 'id"]}', "chunk": 7, "orders": records})
