"""The rule-based stand-in for a language model."""

from functions.agent.standin.model import StandIn

__all__ = ["StandIn"]
