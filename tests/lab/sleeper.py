"""Start a command, stop all of it after a while, and let it go on later: a laptop that is closed in the middle of a run.

    python -I -S tests/lab/sleeper.py AFTER ASLEEP COMMAND …     (seconds)

The clocks go on while it is stopped, so every deadline that it had is over at once when it wakes. What a real sleep does
besides, it does not: here the machine's TCP goes on acknowledging.
"""

import os
import signal
import subprocess
import sys
import time


def main(after: str, asleep: str, *command: str) -> int:
    # If this process is killed, so is the command, stopped or not.
    child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], start_new_session=True)
    try:
        return child.wait(float(after))
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGSTOP)
        time.sleep(float(asleep))
        os.killpg(child.pid, signal.SIGCONT)
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
