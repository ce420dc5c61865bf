"""The little of the ONNX format that is needed to mend a model: protobuf, walked by hand."""

from __future__ import annotations

from collections.abc import Iterator

GRAPH = 7  # ModelProto.graph
INPUT = 11  # GraphProto.input
NAME = 1  # ValueInfoProto.name


def keep_input(model: bytes, name: str) -> bytes:
    """The model with no input of its graph but one.

    Older exporters listed every weight as an input, too; OpenCV 5 then asks for all of them.
    Raises ValueError where `model` is no protobuf.
    """
    wanted = name.encode()
    mended = bytearray()
    for number, value, raw in _fields(model):
        mended += _written(GRAPH, _graph(value, wanted)) if number == GRAPH else raw
    return bytes(mended)


def _graph(graph: bytes, wanted: bytes) -> bytes:
    return b"".join(
        raw for number, value, raw in _fields(graph) if number != INPUT or _name(value) == wanted
    )


def _name(value: bytes) -> bytes:
    return next((text for number, text, _ in _fields(value) if number == NAME), b"")


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, value (of those with a length, else nothing) and all bytes of each field."""
    at, end = 0, len(message)
    while at < end:
        start = at
        tag, at = _varint(message, at)
        value = b""
        match tag & 7:
            case 0:
                _, at = _varint(message, at)
            case 1:
                at += 8
            case 2:
                length, at = _varint(message, at)
                value, at = message[at : at + length], at + length
            case 5:
                at += 4
            case kind:
                raise ValueError(f"no protobuf: wire type {kind}")
        if at > end:
            raise ValueError("no protobuf: it ends early")
        yield tag >> 3, value, message[start:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(message):
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
    raise ValueError("no protobuf: it ends early")


def _written(number: int, value: bytes) -> bytes:
    """A field with a length."""
    head = bytearray()
    for part in (number << 3 | 2, len(value)):
        while part > 127:
            head.append(part & 127 | 128)
            part >>= 7
        head.append(part)
    return bytes(head) + value
