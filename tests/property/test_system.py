"""The in-process system behaves like one plain list, however many streams it has."""

from hypothesis import given
from hypothesis import strategies as st

from processor import CryptoOrderSystem
from tests.model import NaiveBook
from tests.property.strategies import num_streams, order_ids, users

CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), order_ids, users),
        st.tuples(st.sampled_from(["pause", "resume", "cancel"]), order_ids),
        st.tuples(st.just("cancel_all_by_user"), users),
    ),
    max_size=60,
)


@given(num_streams, CALLS)
def test_every_call_returns_and_shows_what_the_model_says(
    streams: int, calls: list[tuple[str, ...]]
) -> None:
    system, model = CryptoOrderSystem(streams), NaiveBook()
    for name, *ids in calls:
        if name == "place":
            system.place(ids[0], ids[1], "BTC", 1, "2.50")
            model.place(ids[0], ids[1])
        else:
            assert getattr(system, name)(*ids) == getattr(model, name)(*ids)
        assert system.display_all_live_orders() == model.display()
