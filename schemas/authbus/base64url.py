"""base64url without padding, as JOSE has it; only the one canonical form is read."""

from binascii import a2b_base64, b2a_base64

_TO_URL = bytes.maketrans(b"+/", b"-_")
_PADDING = ("", "===", "==", "=")


def encode(data: bytes) -> str:
    """Bytes as base64url text without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode()


def decode(text: str) -> bytes:
    """The bytes of a text. Raises ValueError for padding, other letters and loose last bits."""
    padded = text + _PADDING[len(text) % 4]
    data = a2b_base64(padded.replace("-", "+").replace("_", "/"))
    if encode(data) != text:
        raise ValueError("not base64url")
    return data
