"""Evaluation: scores, significance, verdict, the ledger of looks at a test period, and the forecast journal."""
