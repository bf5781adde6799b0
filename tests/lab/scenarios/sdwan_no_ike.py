"""A healthy tunnel as SD-WAN products have them: no IKE, ESP between UDP ports 12346, DTLS on the same ports.

A run with two rekeys, both under traffic, whose captured IKE is left out and
whose ports are changed afterwards (see without_ike.py)."""

from without_ike import rewrite_capture  # noqa: F401  (the session calls it)

NAT = False
NOTES = ["IKE was left out of the capture and UDP port 4500 became 12346 afterwards; the ESP packets have the "
         "bytes they had",
         "the DTLS records were made by hand: right headers, random contents",
         "key_stats and the counts of verify are of the capture as it was"]


def run(lab):
    lab.both(child={"esp_proposals": "aes128gcm16"})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(14)
    lab.rekey_child()
    lab.pause(17)
    lab.rekey_child("b")
    lab.pause(17)
    lab.capture_stop()
    lab.nat_hashes_fit = False
    lab.expect("capture_no_ike", "note", None, None, "there is no IKE in the capture")
    lab.healthy("ESP flows both ways from beginning to end, its SPIs change twice")
    lab.notes += NOTES
