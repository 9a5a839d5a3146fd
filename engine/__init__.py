"""The engine: flow model, states, reducer, expressions, workers, triggers."""
