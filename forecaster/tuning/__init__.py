"""The search of `forecast tune`: trials by Optuna, judged by validation alone, in one process or several."""
