"""Weft and its peers side by side: the same work, on the same machine, in turn.

The folder of each peer holds what it is installed from, what it runs and how it is driven; its processes run in a virtual
environment of its own. Modules that those import (`peer`, `driving`, `frontdoor`, the peers' own) need nothing but Python and
the peer's packages.
"""
