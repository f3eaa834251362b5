"""The commands of `weft`: what each prints and what it exits with. The work is done in `weft.mesh` and `weft.stack`."""
