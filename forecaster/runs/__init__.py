"""Runs: run folders, config checks, preparing a trial, and finished runs."""
