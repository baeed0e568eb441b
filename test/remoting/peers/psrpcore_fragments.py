"""Fragments as MS-PSRP 2.2.4 has them, read beside psrpcore, which is more lenient than the text."""

import struct

HEADER = struct.Struct(">QQBI")


def fragments_of(data):
    """Object id, fragment id, flags and length of each; ValueError when the last one isn't there whole."""
    found = []
    offset = 0
    while offset < len(data):
        if len(data) - offset < HEADER.size:
            raise ValueError("a fragment's header is cut off")
        fragment = HEADER.unpack_from(data, offset)
        offset += HEADER.size + fragment[3]
        if offset > len(data):
            raise ValueError("a fragment is cut off")
        found.append(fragment)
    return found


def empty_fragments(data):
    """How many carry nothing: psrpcore makes one when a header is all that there is still room for."""
    return sum(1 for *_, length in fragments_of(data) if length == 0)


class Sequence:
    """What one side of a session has sent: every message under an id of its own, its fragments counted from 0."""

    def __init__(self):
        self.next = {}

    def check(self, data):
        """What is wrong with these fragments, as texts."""
        if not data:
            yield "carries no fragments"
        for object_id, fragment_id, flags, length in fragments_of(data):
            is_first = object_id not in self.next
            expected = 0 if is_first else self.next[object_id]
            if object_id == 0 or length == 0 or flags & ~3:
                yield f"carries a fragment with the id {object_id}, {length} bytes and the flags {flags}"
            if fragment_id != expected:
                yield f"carries the fragment {fragment_id} of the message {object_id} instead of {expected}"
            if bool(flags & 1) != (fragment_id == 0):
                yield f"carries the fragment {fragment_id} with the flags {flags}"
            # After its end a message has no fragment that could be expected.
            self.next[object_id] = None if flags & 2 else fragment_id + 1
