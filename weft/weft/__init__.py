"""The `weft` command: the whole mesh on this machine, one service, admin verbs."""
