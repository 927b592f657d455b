"""``python -m tests.bench``: every benchmark in turn; each writes its own report. Exit code 1 if something asked is not met."""

from __future__ import annotations

import sys

from tests.bench import bench_check, bench_control, bench_incidents, bench_storage, bench_verdict

if __name__ == "__main__":
    codes = [bench.main([]) for bench in (bench_check, bench_verdict, bench_storage, bench_control, bench_incidents)]
    sys.exit(max(codes))
