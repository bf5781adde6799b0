"""No IKE, ESP between UDP ports 12346; for 25 s there is ESP from the client only.

A firewall beside the headend drops its ESP. IKE is left out of the capture
and the ports are changed afterwards (see without_ike.py)."""

from without_ike import rewrite_capture  # noqa: F401  (the session calls it)
from scenarios.sdwan_no_ike import NOTES

NAT = False


def run(lab):
    lab.both()
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(12)
    rule = lab.top.drop("b", "tx", "udp sport 4500 @th,64,32 != 0")
    start = lab.event("drop-rule-on", where="B", expr="ESP from the headend")
    lab.pause(25)
    end = lab.event("drop-rule-off", where="B", packets_dropped=lab.top.undrop(rule))
    lab.pause(8)
    lab.capture_stop()
    lab.nat_hashes_fit = False
    lab.expect("capture_no_ike", "note", None, None, "there is no IKE in the capture")
    lab.expect("esp_one_way", "warn", start, end, "ESP from the client only", direction="A to B only")
    lab.accept("esp_loss")
    lab.healthy("the SAs never change, only ESP in one direction is missing", but=("esp_one_way", "esp_loss"))
    lab.notes += NOTES
