"""The driver: one script, played to the engine's pure core and to the shadow in lockstep, with a virtual clock and a world in memory."""
