# exceptions.py - which distortion may truly say something else, and why?
#
# SPDX-License-Identifier: GPL-2.0-or-later
import fnmatch
import typing


class Allowed(typing.NamedTuple):
    """One finding that one kind of distortion may change. Patterns as of a shell."""
    distortion: str
    finding: str
    capture: str
    instead_of: str             # the whole must have this finding; "": it need not
    reason: str


ALLOWED = (
    Allowed("end-cut-*", "tunnel_down", "*", "tunnel_flap",
            "An outage that is over in the whole capture is still going on where it is cut."),
    Allowed("snaplen-64", "esp_one_way", "*", "dpd_loss",
            "So few bytes hold no IKE header. What IKE says otherwise, that the peer was lost, is then to be seen by its ESP alone."),
)


class OutOfPlace(typing.NamedTuple):
    """A distortion that makes no sense of a capture."""
    distortion: str
    capture: str
    with_keys: bool             # only if keys are used
    reason: str


OUT_OF_PLACE = (
    OutOfPlace("other-addresses", "*", True, "Wireshark's table of ESP SAs has the addresses as they were."),
    OutOfPlace("other-addresses", "syslog-*", False, "The log lines in it name the addresses, as text."),
)


def is_allowed(distortion, finding, capture, ids_of_whole):
    return any(fnmatch.fnmatch(distortion, row.distortion) and row.finding == finding and fnmatch.fnmatch(capture, row.capture)
               and (not row.instead_of or row.instead_of in ids_of_whole) for row in ALLOWED)


def is_out_of_place(distortion, capture, with_keys):
    return any(fnmatch.fnmatch(distortion, row.distortion) and fnmatch.fnmatch(capture, row.capture) and row.with_keys <= with_keys
               for row in OUT_OF_PLACE)
