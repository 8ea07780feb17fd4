"""The core's output as records: answers for ``orders.results``, changes for ``orders.live``.

Templates, because they are written for every event: pydantic's adapters take three times as long
to write the same JSON from dictionaries. Tests hold the two together, byte for byte. Loops rather
than a function for each record, because a call costs as much as a field.
"""

from collections.abc import Iterable

from processor.core.directory.messages import Correction, Outcome
from processor.core.orders.order import OrderRow
from processor.core.orders.stream import Change
from processor.wire.json_text import quote
from processor.wire.live_order import SEQ_HEADER, TIME_HEADER
from processor.wire.record import NO_HEADERS, Header, Record
from processor.wire.timestamp import format_time


def answer_records(answers: Iterable[tuple[int, Outcome] | Correction]) -> list[Record]:
    """Answers, keyed by user id, or by order id when no user is known, and corrections of answers.

    Args:
        answers: each with the partition in which its input stands.
    """
    records: list[Record] = []
    head, last_partition = "", -1
    last_us, time = -1, ""
    for answer in answers:
        if len(answer) != 2:
            records.append(_correction_record(answer))
            continue
        partition, decision = answer
        if partition != last_partition:
            last_partition = partition
            head = f'{{"schema":1,"input":{{"partition":{partition},"offset":'
        offset, event_type, order_id, user_id, event_id, at_us, reason, _removed = decision
        if event_id is None and reason is None and order_id and user_id and at_us is not None:
            if at_us != last_us:
                last_us, time = at_us, format_time(at_us)
            text = (
                f'{head}{offset}}},"type":"{event_type}"'
                f',"order_id":{quote(order_id)},"user_id":{quote(user_id)}'
                f',"occurred_at":"{time}","result":"applied"}}'
            )
            records.append((user_id.encode(), text.encode(), NO_HEADERS))
        else:
            key = user_id or order_id
            text = head + _rare_answer(decision)
            records.append((None if key is None else key.encode(), text.encode(), NO_HEADERS))
    return records


def _rare_answer(decision: Outcome) -> str:
    """The rest of any answer, from its offset on."""
    offset, event_type, order_id, user_id, event_id, at_us, reason, removed = decision
    text = f"{offset}}}"
    if event_type is not None:
        text += f',"type":"{event_type}"'
    if order_id is not None:
        text += f',"order_id":{quote(order_id)}'
    if user_id is not None:
        text += f',"user_id":{quote(user_id)}'
    if event_id is not None:
        text += f',"event_id":{quote(event_id)}'
    if at_us is not None:
        text += f',"occurred_at":"{format_time(at_us)}"'
    if reason is None or reason == "forwarded":
        text += f',"result":"{reason or "applied"}"'
    else:
        text += f',"result":"rejected","reason":"{reason}"'
    if removed is not None:
        text += f',"count":{removed}'
    return text + "}"


def _correction_record(correction: Correction) -> Record:
    partition, offset, order_id, user_id, placed_at_us = correction
    text = (
        f'{{"schema":1,"input":{{"partition":{partition},"offset":{offset}}},"type":"place"'
        f',"order_id":{quote(order_id)},"user_id":{quote(user_id)}'
        f',"occurred_at":"{format_time(placed_at_us)}"'
        ',"result":"rejected","reason":"duplicate_order","revoked":true}'
    )
    return user_id.encode(), text.encode(), NO_HEADERS


def live_records(stream: int, changes: Iterable[Change]) -> list[Record]:
    """One record for each change, keyed by order id: the whole order, or a tombstone.

    The whole order is what stands in snapshots too.
    """
    records: list[Record] = []
    last_us, updated_at = -1, ""
    for change in changes:
        if len(change) == 4:
            order_id, _, updated_at_us, seq = change
            if updated_at_us != last_us:
                last_us, updated_at = updated_at_us, format_time(updated_at_us)
            headers: list[Header] = [(SEQ_HEADER, b"%d" % seq), (TIME_HEADER, updated_at.encode())]
            records.append((order_id.encode(), None, headers))
            continue
        (
            order_id,
            user_id,
            currency,
            amount,
            price,
            status,
            placed_at_us,
            updated_at_us,
            placed_seq,
            seq,
        ) = change
        if updated_at_us != last_us:
            last_us, updated_at = updated_at_us, format_time(updated_at_us)
        placed_at = updated_at if placed_at_us == updated_at_us else format_time(placed_at_us)
        # Currency, amounts and times have no character that JSON escapes.
        text = (
            f'{{"schema":1,"order_id":{quote(order_id)},"user_id":{quote(user_id)}'
            f',"currency":"{currency}","amount":"{amount}","price":"{price}","status":"{status}"'
            f',"placed_at":"{placed_at}","updated_at":"{updated_at}"'
            f',"stream":{stream},"placed_seq":{placed_seq},"seq":{seq}}}'
        )
        records.append((order_id.encode(), text.encode(), NO_HEADERS))
    return records


def order_json(order: OrderRow, stream: int) -> bytes:
    """An order as it stands in ``orders.live`` and in snapshots."""
    ((_key, value, _headers),) = live_records(stream, [order])
    assert value is not None
    return value
