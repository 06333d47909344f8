"""Workflows: what each command does, as plain functions; these are the Python API."""
