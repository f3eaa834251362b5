"""The hunt: hundreds of random programs at once on a mesh of real processes that are killed, stopped and started again all the while."""
