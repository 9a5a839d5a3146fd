"""The live side of a web process: one Redis subscription in, acknowledged frames out to every browser.

``hub`` and everything under it is free of sockets; ``feed`` is the side of Redis, ``gateway`` that of Socket.IO.
"""

from streaming.gateway.answers import Answers, Behind
from streaming.gateway.gateway import NAMESPACE, Gateway
from streaming.gateway.topics import TopicError

__all__ = ["NAMESPACE", "Answers", "Behind", "Gateway", "TopicError"]
