"""How much of a DNS message is taken apart: as many records as are kept, and no more names than honest messages have.

Names are compressed by pointers (RFC 1035 §4.1.4), so 64 KB can hold a million labels, and dnspython's work grows with the
square of the labels in a name: one such message kept a processor busy for 24 seconds. So labels are counted first. Pure.
"""

from __future__ import annotations

MOST_ANSWERS, MOST_OTHERS = 64, 32
"""Records that are read of the answer, and of each other section. A referral of the root has 27 in its last one."""
MOST_WORK = 40_000
"""Of all names in a message, the squares of how many labels each has: 64 answers of two names each have some thousands."""
_HEADER = 12
_MOST_HOPS = 128
_LONGEST_NAME = 128
_NAME_AT = {2: 0, 5: 0, 6: 0, 12: 0, 15: 2, 18: 2, 33: 6, 36: 2, 39: 0, 46: 18, 47: 0, 64: 2, 65: 2}
"""Type → where the (first) name stands in its data: NS, CNAME, SOA, PTR, MX, AFSDB, SRV, KX, DNAME, RRSIG, NSEC, SVCB,
HTTPS."""


def bounded(data: bytes) -> bytes:
    """*data*, a message with its header, that tells of no more records than are read: what is behind them is left over.

    ``ValueError`` if there are too many names in it. What does not fit in another way is left for the parser to refuse.
    """
    counts = [int.from_bytes(data[at : at + 2]) for at in (4, 6, 8, 10)]
    kept = [min(counts[0], 1 + MOST_OTHERS)]
    for asked, most in zip(counts[1:], (MOST_ANSWERS, MOST_OTHERS, MOST_OTHERS), strict=True):
        # Where one section is cut short, it is not known where the next one begins.
        whole = kept == counts[: len(kept)]
        kept.append(min(asked, most) if whole else 0)
    _count(data, kept[0], sum(kept[1:]))
    return data[:4] + b"".join(count.to_bytes(2) for count in kept) + data[_HEADER:]


def _count(data: bytes, questions: int, records: int) -> None:
    work, at = 0, _HEADER
    for number in range(questions + records):
        found, at = _name(data, at)
        work += found**2
        if number < questions:
            at += 4
        else:
            kind, size = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 8 : at + 10])
            at += 10
            if kind in _NAME_AT:
                work += _name(data, at + _NAME_AT[kind])[0] ** 2
            at += size
        if work > MOST_WORK:
            raise ValueError("too many names")
        if at >= len(data):
            return


def _name(data: bytes, at: int) -> tuple[int, int]:
    """How many labels the name at *at* has, and where it ends there. Ends early where it makes no sense."""
    labels, end = 0, None
    for _ in range(_LONGEST_NAME + _MOST_HOPS):
        if at >= len(data) or not data[at]:
            return labels, end if end is not None else at + 1
        if data[at] >= 0xC0:
            end = end if end is not None else at + 2
            at = int.from_bytes(data[at : at + 2]) & 0x3FFF
        else:
            labels, at = labels + 1, at + 1 + data[at]
    return labels, end if end is not None else at
