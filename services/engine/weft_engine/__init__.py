"""Executions, steps, timers, signals, and the workers that run activities."""
