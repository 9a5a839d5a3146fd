"""A trigger and its state, with a clock: what it starts, turn by turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.expressions import evaluate_at
from engine.flow import parse
from engine.ids import new_id
from engine.states import State
from engine.trigger_state import Backfill, TriggerAction, TriggerState
from engine.triggers import Known, Rules, Turn, created, refreshed, take_turn, tick
from engine.triggers.upstream import variables_of
from engine.upstream import Upstream
from streaming import codec
from streaming.messages import ExecutionCreated, TriggerEnded, TriggerRequested, UpstreamChanged

DEFAULT = Rules()
NOW = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
SCHEDULE = "io.kestra.plugin.core.trigger.Schedule"
FLOW = "io.kestra.plugin.core.trigger.Flow"
CONDITION = "io.kestra.plugin.core.condition."


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class TriggerWorld:
    """One trigger of flow ``company.team.f``. ``started`` are the events it made, as they cross the wire."""

    def __init__(self, keys: str, *, flow: str = "", rules: Rules = DEFAULT, state: TriggerState | None = None) -> None:
        self.rules = rules
        self.now = NOW
        self.state = state or TriggerState("company.team", "f", "t")
        self.started: list[ExecutionCreated] = []
        self.refused: str | None = None
        self.turn = Turn(self.state)
        self.change(keys, flow)

    def change(self, keys: str, flow: str = "", revision: int = 1) -> TriggerWorld:
        """Another revision of the flow."""
        parsed = parse(
            "id: f\nnamespace: company.team\ntasks: [{id: a, type: io.kestra.plugin.core.log.Log, message: hi}]\n"
            f"triggers: [{{id: t, {keys.replace('~', CONDITION)}}}]\n{flow}"
        )
        self.known = Known(parsed, revision, parsed.triggers[0], evaluate_at, self.rules)
        self.state = refreshed(self.known, self.state, self.now)
        return self

    def take(self, turn: Turn) -> TriggerWorld:
        """Take over what came out of a turn; the state goes through the store on the way."""
        assert turn.given == ()
        self.turn, self.refused = turn, turn.refused
        self.state = codec.Decoder(TriggerState, "a state")(codec.encode(turn.state))
        events = [created(self.known, start, self.now) for start in turn.starts]
        self.started += [codec.decode_event(codec.encode(event)) for event in events]
        return self

    def tick(self, now: datetime | None = None) -> TriggerWorld:
        """The clock, at ``now``."""
        self.now = now or self.now
        return self.take(tick(self.known, self.state, self.now))

    def ask(self, action: TriggerAction, backfill: Backfill | None = None) -> TriggerWorld:
        """Somebody's request."""
        event = TriggerRequested(new_id(), self.known.key, self.now, action, "ada", backfill)
        return self.take(take_turn(self.known, self.state, event))

    def backfill(self, start: datetime, end: datetime, **fields: Any) -> TriggerWorld:
        """Ask for a backfill."""
        return self.ask(TriggerAction.BACKFILL_CREATE, Backfill("", start, end, None, **fields))

    def end(self, execution_id: str, state: State = State.SUCCESS) -> TriggerWorld:
        """One of its executions is over."""
        event = TriggerEnded(f"ended-{execution_id}", self.known.key, self.now, execution_id, state)
        return self.take(take_turn(self.known, self.state, event))

    def upstream(self, flow_id: str, state: State = State.SUCCESS, **fields: Any) -> TriggerWorld:
        """An execution of another flow comes to a state."""
        values = {
            "execution_id": f"{flow_id}-{len(self.state.seen)}-{self.now}",
            "namespace": "company.team",
            "revision": 1,
            "start_date": self.now,
            "at": self.now,
            **fields,
        }
        return self.hear(Upstream(flow_id=flow_id, state=state, **values))

    def hear(self, upstream: Upstream) -> TriggerWorld:
        """The same, said once more when it was said before."""
        met = self.known.met(upstream, variables_of(upstream))
        if not met:
            return self
        event_id = f"{upstream.execution_id} {upstream.state}"
        event = UpstreamChanged(event_id, self.known.key, upstream.at, upstream, met)
        return self.take(take_turn(self.known, self.state, event))

    @property
    def dates(self) -> list[str]:
        """Times of the dates it started for."""
        return [event.trigger.variables["date"][11:19] for event in self.started if event.trigger]
