"""The words of the mesh: message types by owner, the envelope, frames, the catalog. Data only.

Every other package may import this one; it imports none of them. A tenant's own service needs nothing else to speak with Weft.
"""
