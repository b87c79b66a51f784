"""The soak: a server under load and under random faults for minutes, judged by the oracle."""
