"""The client counts its ESP packets from 1 again on an SA that goes on.

A peer that came back with its old keys, or a standby that took over with them, would do this; the
lab's daemons never do. So this is a healthy run whose sequence numbers were rewritten: from the 60th ESP
packet of the client on they begin at 1. No NAT."""

import struct

import pcapng

NAT = False
RESTARTS_AT = 61
CLIENT = bytes((192, 0, 2, 2))


def _numbered(frame, number):
    """The frame with another ESP sequence number, and without a UDP checksum."""
    start = 14 + (frame[14] & 15) * 4
    return (frame[:start + 6] + b"\0\0" + frame[start + 8:start + 12] + struct.pack("!I", number)
            + frame[start + 16:])


def rewrite_capture(packets):
    """The same packets; the client's ESP is numbered anew from RESTARTS_AT on."""
    changed = []
    for stamp, frame in packets:
        if pcapng.esp_spi(frame) is not None and frame[26:30] == CLIENT:
            start = 14 + (frame[14] & 15) * 4
            number = struct.unpack_from("!I", frame, start + 12)[0]
            if number >= RESTARTS_AT:
                frame = _numbered(frame, number - RESTARTS_AT + 1)
        changed.append((stamp, frame))
    return changed


def run(lab):
    lab.both()
    lab.initiate()
    start = lab.event("traffic", what="100 pings")
    lab.ping(interval=0.1, count=100)
    lab.capture_stop()
    lab.expect("esp_sequence_reset", "warn", start, None, "the client's numbers begin anew behind 60", direction="A to B")
    lab.healthy("all else works", but=("esp_sequence_reset",))
    lab.never(["esp_loss", "esp_replay"], "the numbers of both counts are complete")
    lab.cause("esp_sequence_reset")
    lab.notes += ["the client's ESP sequence numbers from 61 on were rewritten in the capture to begin at 1, their UDP checksums "
                  "set to 0; with keys, the ICV of those packets is therefore wrong",
                  "in truth the headend answered every packet; a real one with a replay window would drop them",
                  "key_stats and the counts of verify are of the capture as it was"]
