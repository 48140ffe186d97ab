"""What may happen to a job, and what must come of it. See harness.py."""
import collections
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pyarrow.parquet as parquet

from driver import BINARY, PATIENCE_S, write_fake_model, write_idx, write_job
from harness import (LANES, Counts, Crew, Opened, Pictures, Place, Size, Worker, check_done, folder_place,
                     make_pictures, nobody_left, rows_of, submit, write_picture_job)


def worked_on(place: Place, scratch: pathlib.Path, pictures: Pictures, rng: random.Random, size: Size,
              strikes: Callable[[Crew], list[Callable[[], None]]] = lambda crew: [],
              tolerated: tuple[int, ...] = ()) -> Counts:
    """Workers are killed or asked to leave, or else strikes(crew) happen, at moments that are events."""
    counts: Counts = collections.Counter()
    submit(write_picture_job(scratch / "job.yaml", place, pictures, size), place)
    with Crew(place, scratch, rng, size, counts, tolerated) as crew:
        for _ in range(size.strikes):
            if not crew.until_more(rng.randrange(1, 2 * size.shards // size.strikes)):
                break
            rng.choice([crew.kill, crew.kill, crew.ask, *strikes(crew)])()
        crew.until_done()
    return counts + check_done(place, pictures)


def workers_killed(scratch: pathlib.Path, pictures: Pictures, rng: random.Random, size: Size) -> Counts:
    return worked_on(folder_place(scratch / "chaos.armada"), scratch, pictures, rng, size)
