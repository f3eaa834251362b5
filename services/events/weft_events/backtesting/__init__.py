"""Backtests: what triggers would have started of the events in the log, and what others would have instead. Nothing starts."""
