"""The pure core: `(state, item, now) -> (state', entries)`. Values in, values out; no IO, no clock, no ids of its own.

Every change of state is an entry, and `evolve` is the only place that changes state: folding the journal gives the state at any position.
"""
