"""One transaction of a session, from its first request to its outcome.

Its steps are in `states`. Why a request may be sent again:

- Produce: the leader tells repeats by their sequence numbers.
- AddPartitions, AddOffsets: adding twice is adding once. One that arrives after the end would begin
  a transaction with nothing in it; the next round joins it, or the broker's timeout aborts it and
  the session is found dead.
- CommitOffsets: the same offsets again. One that arrives in the next transaction (version 1, whose
  epoch is the same) could take the group's offset back until the round after.
- End: version 2 tells repeats by the epoch. Version 1 does not: a late one ends the next
  transaction. So it is not repeated when its answer is lost; the coordinator is asked instead.
"""

from collections.abc import Iterator
from typing import Final

from processor.kafka.transactions.error_codes import ErrorCode
from processor.kafka.transactions.errors import Judgement, Remedy, judge, judge_all
from processor.kafka.transactions.fate import fate_of
from processor.kafka.transactions.leaders import Leaders
from processor.kafka.transactions.limits import Limits
from processor.kafka.transactions.outcomes import (
    Aborted,
    Cause,
    Committed,
    Dead,
    Fate,
    Outcome,
    Reason,
)
from processor.kafka.transactions.producing import Producing
from processor.kafka.transactions.question import MakeRequest, Question
from processor.kafka.transactions.questions import Questions
from processor.kafka.transactions.requester import Requester
from processor.kafka.transactions.requests import (
    AddOffsets,
    AddPartitions,
    CommitOffsets,
    Describe,
    End,
    Produce,
    Request,
)
from processor.kafka.transactions.responses import (
    Described,
    Ended,
    OffsetsAdded,
    OffsetsCommitted,
    PartitionsAdded,
    Produced,
    Response,
)
from processor.kafka.transactions.round import Round, Settlement
from processor.kafka.transactions.sequences import Sequences
from processor.kafka.transactions.states import PATHS, State, Step
from processor.kafka.transactions.values import (
    CoordinatorKey,
    CoordinatorKind,
    Ending,
    Producer,
    TransactionVersion,
)

_V1: Final = TransactionVersion.V1
_V2: Final = TransactionVersion.V2
_LOST_END: Final = Cause(Reason.LOST, End)


class Transaction:
    """The progress of one transaction."""

    def __init__(
        self,
        transactional_id: str,
        producer: Producer,
        work: Round | Settlement,
        version: TransactionVersion,
        questions: Questions,
        leaders: Leaders,
        sequences: Sequences,
        limits: Limits,
        now_ms: float,
    ) -> None:
        """Begin in WAITING.

        Args:
            transactional_id: whose transaction.
            producer: who produces.
            work: what is to be done.
            version: the protocol of rounds; settlements use version 1 always.
            questions: the session's; those that are open are waited for.
            leaders: the session's.
            sequences: the session's.
            limits: the bounds.
            now_ms: the time.
        """
        self.step = Step.WAITING
        self.outcome: Outcome | None = None
        """The outcome, None until there is one."""
        self.next_producer: Producer | None = None
        """The producer after it, if that changes."""
        self._work = work
        self._version = _V1 if isinstance(work, Settlement) else version
        self._requester = Requester(transactional_id, producer, self._version)
        self._questions = questions
        self._leaders = leaders
        self._sequences = sequences
        self._limits = limits
        self._deadline_ms = now_ms + limits.round_timeout_ms
        self._producing: Producing | None = None
        self._begun = self._version is _V2
        """Whether the coordinator may have it as one that has begun."""
        self._abort_cause: Cause | None = None
        self._doubt = False
        """Whether a question that was given up may still take effect."""
        self._end: Question | None = None
        self._learn_cause: Cause | None = None

    # What the session calls.

    def take_requests(self, ids: Iterator[int], now_ms: float) -> list[Request]:
        """The batches that are to be sent now, and the question for leaders that they need."""
        if self._producing is None:
            return []
        requests: list[Request] = [
            self._requester.produce(shipment) for shipment in self._producing.take(ids, now_ms)
        ]
        refresh = self._leaders.take_request(next(ids), self._producing.wanted, now_ms)
        return requests if refresh is None else [*requests, refresh]

    @property
    def next_time_ms(self) -> float:
        """When there is something to be sent, or time is up."""
        if self._producing is None:
            return self._deadline_ms
        refresh_ms = self._leaders.next_time_ms(self._producing.wanted)
        return min(self._deadline_ms, self._producing.next_time_ms, refresh_ms)

    def check_time(self, now_ms: float) -> None:
        """Give up what takes too long."""
        if now_ms >= self._deadline_ms:
            self.die(Cause(Reason.LATE))
        elif self._producing is not None:
            where = self._producing.missing(now_ms, self._limits.missing_topic_ms)
            if where is not None:
                code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                self._refuse(Cause(Reason.REFUSED, Produce, code, where))

    def advance(self, now_ms: float) -> None:
        """Go on while the step is done."""
        if self._abort_cause is not None and self.step.state is State.OPEN:
            self._give_up_questions()
        while self.outcome is None and self._is_done:
            if self._abort_cause is not None:
                self._abort(self._abort_cause, now_ms)
            else:
                self.step = PATHS[self._version][self.step]
                self._enter(now_ms)

    def receive_produced(self, request: Produce, response: Produced, now_ms: float) -> None:
        """Take the answer of a leader."""
        if self._producing is not None:
            judgements = self._producing.receive(request, response, now_ms)
            if judgements:
                self._act_on_refusal(max(judgements, key=lambda judgement: judgement.remedy))

    def receive(
        self, question: Question, request: Request, response: Response, now_ms: float
    ) -> None:
        """Take the answer of a coordinator.

        Raises:
            TypeError: it is no answer to such a request.
        """
        match request, response:
            case AddPartitions(), PartitionsAdded():
                judgement = judge_all(AddPartitions, response.error_codes)
                self._receive_added(question, judgement, now_ms)
            case AddOffsets(), OffsetsAdded():
                self._receive_added(question, judge(AddOffsets, response.error_code), now_ms)
            case CommitOffsets(), OffsetsCommitted():
                self._act(question, judge_all(CommitOffsets, response.error_codes), now_ms)
            case End(), Ended():
                self._receive_ended(question, response, now_ms)
            case Describe(), Described():
                self._receive_fate(question, response, now_ms)
            case _:
                raise TypeError(f"{response} is no answer to {request}")

    def lose_produce(self, request: Produce, now_ms: float, *, sent: bool) -> None:
        """Send batches again, since no answer came."""
        if self._producing is not None:
            self._producing.lose(request, now_ms, sent=sent)

    def lose_end(self, now_ms: float, *, only_one: bool) -> None:
        """Do not repeat an end that was sent, if it may arrive in the next transaction.

        Args:
            now_ms: the time.
            only_one: whether it was the only one. Then a transaction that is committed shows that
                it has arrived.
        """
        if self._version is _V2:
            return
        if self._ending is Ending.ABORT:
            self.die(_LOST_END, Fate.ABORTED)
        else:
            self._learn(None if only_one else _LOST_END, now_ms)

    def die(self, cause: Cause, fate: Fate | None = None) -> None:
        """End without an end, with what is known of its fate."""
        self.outcome = Dead(cause, fate or self._fate)

    # From step to step.

    @property
    def _is_done(self) -> bool:
        return not self._questions.open and (self._producing is None or self._producing.is_done)

    def _enter(self, now_ms: float) -> None:
        match self.step:
            case Step.BEGINNING:
                self._begin(now_ms)
            case Step.PRODUCING:
                self._produce(now_ms)
            case Step.FOLLOWING_UP:
                self._follow_up(now_ms)
            case Step.COMMITTING_OFFSETS:
                self._commit_offsets(now_ms)
            case Step.ENDING:
                self._ask_to_end(now_ms)

    def _begin(self, now_ms: float) -> None:
        partitions, group_id = tuple(self._work.partitions), self._work.group_id
        if partitions:
            self._ask(self._requester.add_partitions(partitions), now_ms)
        if group_id is not None:
            self._ask(self._requester.add_offsets(group_id), now_ms)

    def _produce(self, now_ms: float) -> None:
        self._producing = Producing(
            self._work.batches,
            self._sequences,
            self._leaders,
            now_ms,
            request_bytes=self._limits.request_bytes,
        )

    def _follow_up(self, now_ms: float) -> None:
        follow_up = self._work.follow_up
        if follow_up is not None and self._producing is not None:
            self._producing.add(follow_up.batches(self._producing.base_offsets), now_ms)

    def _commit_offsets(self, now_ms: float) -> None:
        offsets = self._work.group_offsets
        if offsets is not None:
            key = CoordinatorKey(CoordinatorKind.GROUP, offsets.group_id)
            self._questions.ask(key, self._requester.commit_offsets(offsets), now_ms)

    def _ask_to_end(self, now_ms: float) -> None:
        self._end = self._ask(self._requester.end(self._ending), now_ms)

    def _ask(self, make: MakeRequest, now_ms: float) -> Question:
        return self._questions.ask(self._requester.key, make, now_ms)

    # Answers.

    def _receive_added(self, question: Question, judgement: Judgement, now_ms: float) -> None:
        self._begun |= judgement.remedy is Remedy.DONE
        self._act(question, judgement, now_ms)

    def _act(self, question: Question, judgement: Judgement, now_ms: float) -> None:
        """Do what an answer says to a question of the open transaction."""
        if question.missing_for_ms(judgement, now_ms) > self._limits.missing_topic_ms:
            judgement = Judgement(Remedy.ABORT, judgement.cause)
        if judgement.remedy is Remedy.DONE:
            self._questions.drop(question)
        elif judgement.remedy < Remedy.ABORT:
            self._questions.ask_again(question, judgement.remedy, now_ms)
        else:
            question.in_flight = None
            self._act_on_refusal(judgement)

    def _act_on_refusal(self, judgement: Judgement) -> None:
        if judgement.remedy is Remedy.ABORT:
            self._refuse(judgement.cause)
        elif judgement.remedy > Remedy.ABORT:
            self.die(judgement.cause)

    def _receive_ended(self, question: Question, response: Ended, now_ms: float) -> None:
        judgement = judge(End, response.error_code)
        if judgement.remedy is Remedy.DONE:
            self._questions.drop(question)
            self.next_producer = response.producer
            self._finish_as_told()
        elif judgement.remedy < Remedy.ABORT:
            # A coordinator that moves can have written the end before it said so.
            question.in_doubt = True
            self._questions.ask_again(question, judgement.remedy, now_ms)
        elif judgement.remedy is Remedy.DEAD and not question.in_doubt:
            self.die(judgement.cause, Fate.ABORTED)
        else:
            self._learn(judgement.cause, now_ms)

    def _learn(self, cause: Cause | None, now_ms: float) -> None:
        """Ask how the transaction ended; with a cause the session dies whatever the answer."""
        self._learn_cause = cause
        self._questions.open.clear()
        self._ask(self._requester.describe(), now_ms)

    def _receive_fate(self, question: Question, response: Described, now_ms: float) -> None:
        remedy = judge(Describe, response.error_code).remedy
        if Remedy.DONE < remedy < Remedy.ABORT:
            self._questions.ask_again(question, remedy, now_ms)
            return
        self._questions.drop(question)
        fate = fate_of(self._requester.producer, self._version, response)
        if fate is Fate.COMMITTED and self._learn_cause is None:
            self._finish_as_told()
        else:
            self.die(self._learn_cause or _LOST_END, fate)

    # Ends.

    def _refuse(self, cause: Cause) -> None:
        """Abort, once nothing is on its way; the first cause counts."""
        self._abort_cause = self._abort_cause or cause
        if self._producing is not None:
            self._producing.give_up()

    def _give_up_questions(self) -> None:
        for question in [q for q in self._questions.open if q.in_flight is None]:
            self._doubt |= question.in_doubt
            self._questions.drop(question)

    def _abort(self, cause: Cause, now_ms: float) -> None:
        doubt = self._doubt or (self._producing is not None and self._producing.in_doubt)
        if doubt and self._version is _V1:
            # Its sequence numbers are not known, and the epoch stays: only a new one helps.
            self.die(cause)
        elif self._begun:
            self.step = Step.ENDING
            self._ask_to_end(now_ms)
        else:
            self._finish_as_told()

    @property
    def _ending(self) -> Ending:
        """How it is to end, as things stand."""
        return self._work.ending if self._abort_cause is None else Ending.ABORT

    def _finish_as_told(self) -> None:
        if self._ending is Ending.ABORT:
            self.outcome = Aborted(self._abort_cause)
        else:
            self.outcome = Committed(
                {} if self._producing is None else self._producing.base_offsets
            )

    @property
    def _fate(self) -> Fate:
        """The fate, as far as it is known without asking."""
        sent = self._end is not None and (self._end.in_flight is not None or self._end.in_doubt)
        return Fate.UNKNOWN if sent and self._ending is Ending.COMMIT else Fate.ABORTED
