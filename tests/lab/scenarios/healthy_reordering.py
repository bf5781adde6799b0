"""A healthy tunnel over a wire that reorders and doubles a little.

One in twenty of the headend's ESP packets is overtaken by a few others, one in a hundred arrives twice
within a moment: any replay window takes the first, drops the second, and nobody notices. No NAT."""

NAT = False
WAN_DELAY = 0.005
WAN_FAULTS = ("hold=0.05:0.08", "double=0.01:0.05")


def run(lab):
    lab.both()
    lab.initiate()
    lab.event("traffic", what="250 pings, 0.02 s apart")
    lab.ping(interval=0.02, count=250)
    lab.capture_stop()
    lab.healthy("reordering by a few packets and copies within a moment are everyday life")
    lab.never(["esp_loss", "esp_replay", "esp_sequence_reset"], "no number is missing in the end, none is late by "
              "more than a few, and the copies come within 0.1 s")
    lab.notes.append("wan.py between R and B delays and doubles ESP from B at random, before the capture point on R")
