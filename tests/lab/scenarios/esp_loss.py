"""The wire loses one in fifteen of the headend's ESP packets. IKE is not touched.

Every packet of the client is answered, but some of the answers do not reach
the capture point: their sequence numbers are missing for good. No NAT."""

NAT = False
WAN_DELAY = 0.005
WAN_FAULTS = ("loss=0.066",)


def run(lab):
    lab.both()
    lab.initiate()
    start = lab.event("traffic", what="250 pings, one in fifteen answers is lost on the wire")
    lab.ping(interval=0.03, count=250)
    lab.capture_stop()
    lab.expect("esp_loss", "note", start, None, "ESP from the headend is lost before the capture point", direction="B to A")
    lab.healthy("all else works", but=("esp_loss",))
    lab.notes.append("wan.py between R and B drops ESP from B at random, before the capture point on R")
