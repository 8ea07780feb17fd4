"""What a process knows of the cluster."""

from processor.kafka.cluster_view import (
    NO_EPOCH,
    NO_NODE,
    BrokerAddress,
    ClusterView,
    Leader,
    Metadata,
    TopicMetadata,
)

OLD_ID, NEW_ID = b"1" * 16, b"2" * 16


def topic(
    *leaders: Leader, name: str = "a", topic_id: bytes | None = OLD_ID, error_code: int = 0
) -> TopicMetadata:
    return TopicMetadata(name, topic_id, error_code, dict(enumerate(leaders)))


def learn(view: ClusterView, *topics: TopicMetadata) -> None:
    view.learn(Metadata((), 1, topics))


def test_nothing_is_known_at_first() -> None:
    view = ClusterView()
    assert (view.leader("a", 0), view.topic_id("a"), view.partitions("a")) == (None, None, 0)
    assert (view.updates, view.moves, view.brokers) == (0, 0, {})


def test_leaders_ids_and_brokers_are_known_from_an_answer() -> None:
    view = ClusterView()
    broker = BrokerAddress(1, "host", 9092)
    view.learn(Metadata([broker], 1, [topic(Leader(1, 5), Leader(2, 6))]))
    assert (view.leader("a", 0), view.leader("a", 1)) == (Leader(1, 5), Leader(2, 6))
    assert (view.leader("a", 2), view.topic_id("a"), view.partitions("a")) == (None, OLD_ID, 2)
    assert (view.brokers, view.updates) == ({1: broker}, 1)


def test_a_partition_without_a_leader_has_none() -> None:
    view = ClusterView()
    learn(view, topic(Leader(NO_NODE, 5)))
    assert view.leader("a", 0) is None


def test_an_older_epoch_does_not_replace_a_newer_one() -> None:
    view = ClusterView()
    learn(view, topic(Leader(2, 6)))
    learn(view, topic(Leader(1, 5)))
    assert view.leader("a", 0) == Leader(2, 6)


def test_the_same_epoch_replaces_what_was_known() -> None:
    view = ClusterView()
    learn(view, topic(Leader(NO_NODE, 6)))
    learn(view, topic(Leader(1, 6)))
    assert view.leader("a", 0) == Leader(1, 6)


def test_without_epochs_the_last_answer_counts() -> None:
    view = ClusterView()
    learn(view, topic(Leader(1, NO_EPOCH)))
    learn(view, topic(Leader(2, NO_EPOCH)))
    assert (view.leader("a", 0), view.moves) == (Leader(2, NO_EPOCH), 0)


def test_moves_are_counted_by_answer_and_not_for_what_is_new_or_older() -> None:
    view = ClusterView()
    learn(view, topic(Leader(1, 5), Leader(1, 5)))
    learn(view, topic(Leader(1, 5), Leader(1, 4), Leader(1, 9)))
    assert view.moves == 0
    learn(view, topic(Leader(2, 6), Leader(2, 6)), topic(Leader(1, 1), name="b"))
    assert view.moves == 1
    learn(view, topic(Leader(2, 6), Leader(2, 7)))
    assert view.moves == 2


def test_all_topics_of_an_answer_are_taken_in_though_the_first_moved() -> None:
    view = ClusterView()
    learn(view, topic(Leader(1, 5)), topic(Leader(1, 5), name="b"))
    learn(view, topic(Leader(2, 6)), topic(Leader(2, 6), name="b"))
    assert view.leader("b", 0) == Leader(2, 6)


def test_a_topic_that_was_made_anew_begins_anew() -> None:
    view = ClusterView()
    learn(view, topic(Leader(1, 9), Leader(1, 9)))
    learn(view, topic(Leader(2, 0), topic_id=NEW_ID))
    assert (view.leader("a", 0), view.leader("a", 1)) == (Leader(2, 0), None)
    assert (view.topic_id("a"), view.moves) == (NEW_ID, 0)


def test_a_topic_that_is_gone_is_missing_until_it_is_back() -> None:
    view = ClusterView()
    learn(view, topic(Leader(1, 5)), topic(Leader(1, 5), name="b"))
    learn(view, topic(topic_id=None, error_code=3), topic(Leader(1, 5), name="b"))
    assert (view.missing, view.topic_id("a"), view.leader("a", 0)) == (frozenset({"a"}), None, None)
    learn(view, topic(Leader(1, 5), name="b"))
    assert view.missing == {"a"}
    learn(view, topic(Leader(1, 0), topic_id=NEW_ID))
    assert (view.missing, view.leader("a", 0)) == (frozenset(), Leader(1, 0))


def test_a_refused_topic_is_named_until_it_is_allowed() -> None:
    view = ClusterView()
    learn(view, topic(topic_id=None, error_code=29))
    assert (view.refused, view.missing) == (frozenset({"a"}), frozenset())
    learn(view, topic(Leader(1, 5)))
    assert view.refused == set()


def test_another_error_of_a_topic_leaves_what_was_known() -> None:
    view = ClusterView()
    learn(view, topic(Leader(1, 5)))
    learn(view, topic(topic_id=None, error_code=5))
    assert (view.leader("a", 0), view.topic_id("a")) == (Leader(1, 5), OLD_ID)
