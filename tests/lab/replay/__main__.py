"""``make replay``, or ``python -m tests.lab.replay [--only NAME …] [--jobs N]``: history again, and what is told of it."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.lab.namespaces import LabError
from tests.lab.replay import report, shelf
from tests.lab.replay.harness import replay
from tests.lab.replay.model import Event
from tests.lab.replay.negatives import NEGATIVES
from tests.lab.replay.timelines import EVENTS
from tests.lab.replay.whole import judge

ALL = (*EVENTS, *NEGATIVES)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.replay", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="events by name")
    parser.add_argument("--jobs", type=int, default=9, help="labs side by side; most of a replay is waiting")
    parser.add_argument("--keep", type=Path, help="leave databases and logs here")
    parser.add_argument("--again", action="store_true", help="judge what --keep holds, and replay only what it lacks")
    parser.add_argument("--at-most", type=float, default=90, help="minutes for one event")
    options = parser.parse_args()
    chosen = [event for event in ALL if not options.only or event.name in options.only]
    if missing := set(options.only) - {event.name for event in chosen}:
        parser.error(f"there is no event {', '.join(sorted(missing))}")
    keep = options.keep or report.REPORTS / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}-replay"
    keep.mkdir(parents=True, exist_ok=True)
    rows = _replay_all(chosen, keep, options)
    text = report.render(rows)
    path = keep.parent / f"{keep.name}.md" if options.keep is None else keep / "report.md"
    path.write_text(text)
    print(text)
    print(f"written to {path}", file=sys.stderr)
    return 0 if all(row.is_right for row in rows) else 1


def _replay_all(chosen: list[Event], keep: Path, options: argparse.Namespace) -> list[report.Row]:
    rows: dict[str, report.Row] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        # Who changes most often keeps its own pace longest, and so does what is met by chance: they begin first.
        longest = sorted(
            chosen, key=lambda event: (-any(truth.by_chance for truth in event.truths), -len(event.transitions))
        )
        running = {pool.submit(_one, event, keep, options): event for event in longest if not event.needs}
        for future in as_completed(running):
            row = future.result()
            rows[row.event.name] = row
            print(f"[{len(rows)}/{len(running)}] {row.summary}", file=sys.stderr)
    return [rows.get(event.name) or report.Row(event=event) for event in chosen]


def _one(event: Event, keep: Path, options: argparse.Namespace) -> report.Row:
    try:
        replayed = shelf.take(keep, event.name) if options.again else None
        if replayed is None:
            replayed = replay(
                event, keep, tell=lambda line: print(line, file=sys.stderr), at_most_s=options.at_most * 60
            )
            shelf.put(replayed)
        return report.Row(event=event, score=judge(event, replayed), replayed=replayed)
    except LabError as error:
        return report.Row(event=event, trouble=str(error))
    except Exception:  # a replay of an hour is not to be lost with another one's bug
        return report.Row(event=event, trouble=traceback.format_exc())


if __name__ == "__main__":
    sys.exit(main())
