"""Writes and reads the few protobuf messages of other servers that are needed here, without their schemas."""

import struct


def _varint(number):
    parts = bytearray()
    while number > 0x7f:
        parts.append(number & 0x7f | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def field(number, value):
    """A field: of an int as a varint, of a float as a double, of a str or bytes with its length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack('<d', value)
    if isinstance(value, str):
        value = value.encode()
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _read_varint(data, position):
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return number, position


def read(data):
    """The fields of a message as a list of (number, value, all bytes); values are ints or bytes."""
    fields = []
    position = 0
    while position < len(data):
        begin = position
        tag, position = _read_varint(data, position)
        kind = tag & 7
        if kind == 0:
            value, position = _read_varint(data, position)
        else:
            length, position = {1: (8, position), 5: (4, position)}.get(kind) or _read_varint(data, position)
            value = data[position:position + length]
            position += length
        fields.append((tag >> 3, value, data[begin:position]))
    return fields


def first(data, *path):
    """The first value under field numbers that lead into messages within messages; None if there is none."""
    for number in path:
        data = next((value for key, value, _ in read(data) if key == number), None)
        if data is None:
            return None
    return data
