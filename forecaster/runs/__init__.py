"""Runs: their folders, what makes one ready, and finished ones however they are found."""
