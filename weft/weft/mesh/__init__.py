"""The whole mesh on this machine: its services on the local stack, in one process or in one each."""
