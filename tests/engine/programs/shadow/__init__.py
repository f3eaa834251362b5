"""The shadow: a small reference interpreter of the definition language, to hold the engine against.

It shares nothing with the engine: no journal, no table of what is pending, no code. A scope is a coroutine, a failure is an exception,
and cancelling is closing the coroutine. It reads the document itself and is told what happens outside; what it would do is in `effects`.
"""
