"""The wire sends some of the headend's ESP packets twice and holds others back for long.

Two in a hundred arrive again 0.4 s later, three in a hundred arrive a second late, some 90 packets
behind the others: a receiver with a replay window of 64 drops both. No NAT."""

NAT = False
WAN_DELAY = 0.005
WAN_FAULTS = ("hold=0.03:1.0", "double=0.02:0.4")


def run(lab):
    lab.both()
    lab.initiate()
    start = lab.event("traffic", what="270 pings, 0.01 s apart")
    lab.ping(interval=0.01, count=270)
    lab.capture_stop()
    lab.expect("esp_replay", "warn", start, None, "ESP of the headend arrives a second time 0.4 s later, "
               "and too late for a window of 64", direction="B to A")
    lab.healthy("all else works", but=("esp_replay", "esp_loss"))
    lab.accept("esp_loss")
    lab.cause("esp_replay")
    lab.notes.append("wan.py between R and B doubles and delays ESP from B at random, before the capture point on R")
