"""Workflows, versions, validation, publishing."""
