"""The reducer: ``apply(execution, event, flow, env)`` gives the next execution and what is to be done. No I/O."""

from engine.reducer.apply import apply
from engine.reducer.env import Applied, Env

__all__ = ["Applied", "Env", "apply"]
