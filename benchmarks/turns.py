"""Contestants that take turns in short bursts, those of another framework in a process of its own.

A machine that becomes slower or busier meanwhile is then as fair to one as to the other, as long as ratios are taken
within a round. Used by the scripts beside it.
"""

import functools
import json
import os
import statistics
import subprocess
import sys
import time


def measure(turns, rounds, seconds):
    """Rates of contestants that take turns, beginning with another one in each round.

    Args:
        turns: {contestant: function of the seconds of a burst that returns its rate}.
        rounds: how often each has its turn.
        seconds: length of a turn.

    Returns:
        {contestant: its rate in each round}.
    """
    rates = {contestant: [] for contestant in turns}
    order = list(turns)
    for number in range(rounds):
        first = number % len(order)
        for contestant in order[first:] + order[:first]:
            rates[contestant].append(turns[contestant](seconds))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return rates


def measure_processes(processes, rounds, seconds):
    """`measure` for the contestants of all `Framework`s, which end with it."""
    turns = {contestant: turn for process in processes for contestant, turn in process.turns.items()}
    rates = measure(turns, rounds, seconds)
    for process in processes:
        process.close()
    return rates


def burst(step, seconds):
    """Steps per second, over at least one step and `seconds`."""
    steps, start = 0, time.perf_counter()
    while True:
        step()
        steps += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return steps / elapsed


def warm_up(steps, calls=3):
    """Calls each step some times: frameworks compile, and oneDNN chooses its kernels."""
    for step in steps:
        for _ in range(calls):
            step()


def spread(values, style):
    """Median (lowest to highest)."""
    middle, low, high = (style.format(f(values)) for f in (statistics.median, min, max))
    return f"{middle} ({low} to {high})"


def ratios(rates, others):
    """Each round's ratio."""
    return [a / b for a, b in zip(rates, others, strict=True)]


def available_cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Framework:
    """A framework's process, seen from here: this script again, with the same arguments and `--serve NAME`."""

    def __init__(self, name, python, threads):
        command = [python, os.path.abspath(sys.argv[0]), *sys.argv[1:], "--serve", name]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.facts = self._answer()
        contestants = [tuple(contestant) for contestant in self.facts.get("contestants", ())]
        self.turns = {contestant: functools.partial(self._burst, contestant) for contestant in contestants}

    def _burst(self, contestant, seconds):
        print(json.dumps([*contestant, seconds]), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} ended with code {self.process.wait()}; its message is above.")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serve(prepare):
    """What a framework's process does: it answers each request for a burst with the steps per second.

    Args:
        prepare: function that returns ({contestant, a tuple of texts: function that makes one step}, facts).
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a framework prints stays out of the answers

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    try:
        contestants, facts = prepare()
    except ModuleNotFoundError as error:
        return answer({"missing": str(error)})
    warm_up(contestants.values())
    answer({"contestants": list(contestants), **facts})
    for line in sys.stdin:
        *contestant, seconds = json.loads(line)
        answer(burst(contestants[tuple(contestant)], seconds))
