"""Hypothesis strategies for programs over the whole language, and for what happens to them.

Every document is valid. Where the language leaves an order open (what runs first of two things that go on in one transition), a program
does not depend on it: whatever runs beside others begins with values of its own and then rests before it reads what others write.
"""
