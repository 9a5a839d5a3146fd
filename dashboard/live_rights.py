"""Who may look at what live: the gateway's topics, asked of the same table as everything else."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from msgspec import structs

from dashboard.accounts import person, why_nobody
from dashboard.permissions import AnyVerb, Forbidden, Verb, demand, may_somewhere, namespaces, refusal
from dashboard.refusals import TOO_MANY, Refusals
from data.errors import StoreUnavailable
from data.namespaces import inside
from streaming.gateway.reads import Unavailable
from streaming.gateway.rights import Login
from streaming.gateway.topics import Topic

HOMES_MAX = 20_000  # namespaces of executions that are remembered; the one unasked for longest is forgotten

Narrow = Callable[["LiveRights", Any, Any], Any]


class LiveRights:
    """``Rights`` of the gateway. ``TOPIC_VERBS`` says what each topic needs."""

    def __init__(self, store: Any, refusals: Refusals) -> None:
        self._store = store
        self._refusals = refusals
        self._homes: OrderedDict[str, str] = OrderedDict()

    def login(self) -> Login | None:
        try:
            who = person()
            if who.is_authenticated:
                return Login(who.keys, who.until)
            why = why_nobody()
            self._refusals.within_rate("session" if why else "login", None, why or "Nobody is signed in.", path="/live")
            return None
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error

    def narrowed(self, topic: Topic) -> Topic:
        try:
            who = person()
            if topic.name not in TOPIC_VERBS:
                raise Forbidden(f"Nobody may look at {topic.name}.")
            verb, narrow = TOPIC_VERBS[topic.name]
            if not may_somewhere(who, verb):
                raise Forbidden(refusal(who, verb))
            return narrow(self, who, topic)
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error

    def refused(self, topic: str, why: str) -> None:
        who = getattr(person(), "name", None)
        if not self._refusals.within_rate("topic", who, why, topic=topic):
            raise PermissionError(TOO_MANY)

    def operation(self, operation_id: str) -> Any:
        """A bulk operation, if there is one."""
        return self._store.operation(operation_id)

    def homes(self, ids: tuple[str, ...]) -> dict[str, str]:
        """Namespaces of executions, of those that exist; an execution never moves."""
        unknown = [one for one in ids if one not in self._homes]
        if unknown:
            for one, row in self._store.rows(unknown).items():
                self._homes[one] = row.namespace
            while len(self._homes) > max(HOMES_MAX, len(ids)):
                self._homes.popitem(last=False)
        return {one: self._homes[one] for one in ids if one in self._homes}


def _within(rights: LiveRights, who: Any, topic: Any) -> Any:
    """A list or count: only the namespaces the person may see, whatever the browser said."""
    return structs.replace(topic, within=namespaces(who, Verb.READ))


def _of_one(execution: Callable[[Any], str]) -> Narrow:
    """Something of one execution: that of a namespace the person may see. An unknown one is nobody's."""

    def narrow(rights: LiveRights, who: Any, topic: Any) -> Any:
        if namespaces(who, Verb.READ) is not None:
            home = rights.homes((execution(topic),)).get(execution(topic))
            if home is None:
                raise Forbidden(f"There is no execution {execution(topic)} that you may look at.")
            demand(who, Verb.READ, home)
        return topic

    return narrow


def _of_many(rights: LiveRights, who: Any, topic: Any) -> Any:
    allowed = namespaces(who, Verb.READ)
    if allowed is None:
        return topic
    homes = rights.homes(topic.ids)
    return structs.replace(topic, ids=tuple(one for one in topic.ids if one in homes and inside(homes[one], allowed)))


def _own_operation(rights: LiveRights, who: Any, topic: Any) -> Any:
    """Who may look at some namespaces only sees the operations it began itself: others name what is elsewhere."""
    if namespaces(who, Verb.READ) is not None:
        found = rights.operation(topic.id)
        if found is None or found.actor != who.name:
            raise Forbidden(f"There is no operation {topic.id} of yours.")
    return topic


def _own_operations(rights: LiveRights, who: Any, topic: Any) -> Any:
    return structs.replace(topic, actor=None if namespaces(who, Verb.READ) is None else who.name)


TOPIC_VERBS: dict[str, tuple[AnyVerb, Narrow]] = {
    "executions": (Verb.READ, _within),
    "stats": (Verb.READ, _within),
    "execution": (Verb.READ, _of_one(lambda topic: topic.id)),
    "logs": (Verb.READ, _of_one(lambda topic: topic.execution_id)),
    "rows": (Verb.READ, _of_many),
    "operation": (Verb.READ, _own_operation),
    "operations": (Verb.READ, _own_operations),
}
"""What each topic needs, and how it is narrowed to what a person may see. A topic that is not here is refused."""
