"""What the two peers share: a job on standard input, its outcome on standard output, both JSON."""

import json
import sys


def run(scenarios):
    job = json.load(sys.stdin)
    outcome = scenarios[job["scenario"]](job)
    json.dump(outcome, sys.stdout)


def text(value):
    """What PowerShell would print for a value."""
    return None if value is None else str(value)
