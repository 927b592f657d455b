"""Counter mode by hand, held against the standard's example and the library that it stands in for."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import example, given
from hypothesis import strategies as st

from probe.instruments.apps import aes

KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")


def test_the_standards_own_example():
    """NIST SP 800-38A, F.5.5: the first two blocks."""
    update = aes.counting(KEY, bytes(range(0xF0, 0x100)))
    text = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    assert update(text).hex() == "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16), st.lists(st.binary(max_size=70)))
@example(KEY, b"\xff" * 16, [b"a" * 40])
def test_any_key_any_pieces(key: bytes, counter: bytes, pieces: list[bytes]):
    """However a message is cut in pieces, and where the counter begins anew."""
    ours, theirs = aes.counting(key, counter), Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    assert [ours(piece) for piece in pieces] == [theirs.update(piece) for piece in pieces]
