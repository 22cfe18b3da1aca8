import time

import numpy as np

from harness.experiment.stages.measuring import measured, peak_memory


def test_a_step_is_measured_in_seconds_and_in_the_memory_that_it_takes():
    with measured() as cost:
        taken = np.ones(25_000_000)  # 200 MB
        time.sleep(0.1)
        del taken
    assert 0.1 < cost.seconds < 5
    assert 150e6 < cost.memory_bytes < 400e6
    assert peak_memory() > cost.memory_bytes


def test_a_step_that_fails_still_ends_the_watch():
    cost = None
    try:
        with measured() as cost:
            raise KeyError
    except KeyError:
        pass
    assert cost.seconds > 0
