"""All that the notebooks use, under one roof. Their first cell is ::

    from anonlab.learn import *

Write `help(check)`, or any other of these names, to read what it does.

The machine          Kernel, LESSON, X86_64, PAGE_SIZE, DESIGNS, AnonGroup, pte_letters
Run and compare      record, operations, scan, compare; check(kernel) holds every invariant
Scenarios            prefork, fork_chain, pipeline, movers, swap_storm
A real program       strace_log, read_strace, replay, bill_of, Trace
See                  picture, address_picture, chart, Player, explore
Predict, then see    scene, predict, play, reveal, predicted
What differs         frames_used, slots_filled, read_only_words, nonzero_words,
                     processes_with_new_frames, swap_entries_made, pages_with_same_frames
Questions            answer, baseline, final, then_and_now
March 2004           debate, objection, complexity, moves_met, shared_by, scanned_until_free,
                     walked_until_free
Famous bugs          shortest_bug
Drills               drill("04"): fresh questions until five in a row are right
What people say      beliefs("04"): beliefs about a notebook's subject, as questions
The mail, the costs  mail, scoreboard
Exercises            %%exercise 04a, check("04a"), statement, hint, solution, reset, progress,
                     run_mutant
Your work            my_work: download it as one file, bring it back
The running kernel   live_or_recorded, compare_steps, GROUP, compare_rmaps, trace_and_replay,
                     own_pagemap_words, bench_chart, measured, measure_here
"""

from __future__ import annotations

from typing import Any

from anonlab.bench.charts import bench_chart, measure_here, measured
from anonlab.bench.complexity import complexity
from anonlab.course.asking import exercise_tools
from anonlab.course.asking.belief_tools import beliefs
from anonlab.course.asking.cost_scoreboard import scoreboard
from anonlab.course.asking.debate_tools import debate, objection
from anonlab.course.asking.diff import (
    frames_used,
    nonzero_words,
    pages_with_same_frames,
    processes_with_new_frames,
    read_only_words,
    slots_filled,
    swap_entries_made,
)
from anonlab.course.asking.drill_tools import drill
from anonlab.course.asking.exercise_tools import (
    hint,
    progress,
    reset,
    run_mutant,
    solution,
    statement,
)
from anonlab.course.asking.mail_lines import mail
from anonlab.course.asking.my_work import my_work, warn_in_browser
from anonlab.course.asking.prediction_tools import play, predict, predicted, reveal
from anonlab.course.asking.question_tools import answer, baseline, final, then_and_now
from anonlab.course.asking.scenes import scene
from anonlab.formats.trace import Trace
from anonlab.histories.before_rmap import scanned_until_free, shared_by, walked_until_free
from anonlab.histories.bill_meter import bill_of
from anonlab.histories.costs import compare
from anonlab.histories.library import log as strace_log
from anonlab.histories.scenarios import fork_chain, movers, pipeline, prefork, swap_storm
from anonlab.histories.strace.log import read_strace
from anonlab.kernel import Kernel
from anonlab.live.own_pagemap import own_pagemap_words
from anonlab.live.programs import trace_and_replay
from anonlab.live.rmaps import compare_rmaps
from anonlab.live.source import live_or_recorded
from anonlab.live.steps import GROUP, compare_steps
from anonlab.machine.words import LESSON, PAGE_SIZE, X86_64, pte_letters
from anonlab.notebook.workbench import explore
from anonlab.proof import invariants
from anonlab.proof.famous_bugs import shortest_bug
from anonlab.proof.moves_met import moves_met
from anonlab.proof.page_table_scan import scan
from anonlab.proof.replaying import replay
from anonlab.recording.recorder import operations, record
from anonlab.rmap import DESIGNS, AnonGroup
from anonlab.view.player.player import Player
from anonlab.view.stage.picture import address_picture, chart, picture

__all__ = [
    "DESIGNS",
    "GROUP",
    "LESSON",
    "PAGE_SIZE",
    "X86_64",
    "AnonGroup",
    "Kernel",
    "Player",
    "Trace",
    "address_picture",
    "answer",
    "baseline",
    "beliefs",
    "bench_chart",
    "bill_of",
    "chart",
    "check",
    "compare",
    "compare_rmaps",
    "compare_steps",
    "complexity",
    "debate",
    "drill",
    "explore",
    "final",
    "fork_chain",
    "frames_used",
    "hint",
    "live_or_recorded",
    "mail",
    "measure_here",
    "measured",
    "movers",
    "moves_met",
    "my_work",
    "nonzero_words",
    "objection",
    "operations",
    "own_pagemap_words",
    "pages_with_same_frames",
    "picture",
    "pipeline",
    "play",
    "predict",
    "predicted",
    "prefork",
    "processes_with_new_frames",
    "progress",
    "pte_letters",
    "read_only_words",
    "read_strace",
    "record",
    "replay",
    "reset",
    "reveal",
    "run_mutant",
    "scan",
    "scanned_until_free",
    "scene",
    "scoreboard",
    "shared_by",
    "shortest_bug",
    "slots_filled",
    "solution",
    "statement",
    "strace_log",
    "swap_entries_made",
    "swap_storm",
    "then_and_now",
    "trace_and_replay",
    "walked_until_free",
]


def check(subject: str | Kernel, because: str = "", everything: bool = False) -> Any:
    """Check an exercise, or a machine.

    check("04a")     runs the public checks of exercise 04a on your file, and shows the report
    check(kernel)    scans all page tables of the machine, and returns the walks that were compared
    because          what you think is wrong with your exercise, if you like to keep it
    everything       run the hidden checks of the exercise too: they are where its source is
    raises           AssertionError if a machine breaks an invariant, TypeError for anything else
    """
    if isinstance(subject, str):
        return exercise_tools.check(subject, because, everything)
    if isinstance(subject, Kernel):
        return invariants.check(subject)
    raise TypeError(
        'check takes the number of an exercise, check("04a"), or a machine, check(kernel); '
        f"got {type(subject).__name__}"
    )


exercise_tools.register_magic()
warn_in_browser()
