"""The evidence table: every row, by its code, from an explicit list of modules. Nothing is scanned for."""

from __future__ import annotations

from probe.verdict.findings import (
    app,
    baseline,
    beside,
    chains,
    cheap,
    control,
    control_pairs,
    datagrams,
    denials,
    dns,
    dropped,
    filters,
    http,
    injected,
    interception,
    likeness,
    listed,
    located,
    lookalikes,
    own_side,
    paths,
    protocols,
    questions,
    quic,
    resets,
    residual,
    retries,
    tcp,
    throttling,
    tls,
    vendor,
)
from probe.verdict.model import Finding
from probe.verdict.rows import Row

MODULES = (
    baseline,
    retries,
    app,
    datagrams,
    protocols,
    quic,
    cheap,
    vendor,
    own_side,
    dns,
    injected,
    denials,
    lookalikes,
    dropped,
    questions,
    filters,
    tcp,
    tls,
    resets,
    throttling,
    residual,
    paths,
    located,
    interception,
    chains,
    http,
    beside,
    listed,
    likeness,
    control,
    control_pairs,
)
"""One module a subject, each with its ``ROWS``; those of a lower layer first."""

TABLE: dict[str, Row] = {row.code: row for module in MODULES for row in module.ROWS}
"""Code → row. The judge reads it at every judgement, so that a row can be disabled."""


def proves(finding: Finding) -> bool:
    """Whether its row says that it proves by itself; one whose row is disabled proves nothing."""
    row = TABLE.get(finding.code)
    return row is not None and row.proves
