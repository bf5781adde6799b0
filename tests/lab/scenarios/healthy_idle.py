"""A tunnel that idles behind a NAT: keepalives, liveness checks, hardly traffic.

Three pings at the start and three at the end, 40 s apart; the client sends a
NAT keepalive every 5 s and both sides check liveness every 8 s."""

CHARON_A = {"keep_alive": "5s"}


def run(lab):
    lab.both(conn={"dpd_delay": "8s"})
    lab.initiate()
    lab.ping(count=3)
    lab.pause(40)
    lab.ping(count=3)
    lab.capture_stop()
    lab.healthy("nobody has anything to send, and every liveness check is answered at once")
    lab.never("clean_delete capture_midstream capture_no_ike", "the tunnel is there from its start "
              "and stays")
