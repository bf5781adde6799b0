"""Two clients with one identity behind one NAT push each other out.

The headend allows one IKE SA per identity (unique = replace), and each
client says INITIAL_CONTACT: when the second client comes, the headend drops
the first one's state without a word. The first one goes on sending until its
liveness requests stay unanswered, then comes again, which pushes out the
second, and so on."""

import session
from topology import HOST_B, HOST_C

SECOND_CLIENT = True
CHARON = {"retransmit_timeout": "1.0", "retransmit_base": "1.0", "retransmit_tries": 3}


def run(lab):
    conn = {"unique": "replace", "local": {"id": session.CLIENT}, "dpd_delay": "5s"}
    headend = lab.config("b", {"unique": "replace"},
                         {"remote_ts": "192.0.2.64/26, 192.0.2.192/26"})
    lab.b.start(headend)
    lab.a.start(lab.config("a", conn, more={"secrets": {}}))
    lab.c.start(lab.config("c", conn, more={"secrets": {"ike-gw": {"id-a": session.CLIENT}}}))
    lab.capture_start()
    lab.initiate()
    lab.ping(interval=1)
    lab.pause(4)
    mark_a, mark_b, mark_c = (host.log.mark() for host in (lab.a, lab.b, lab.c))
    lab.initiate(by="c")
    lab.ping(interval=1, host="c", src=HOST_C, dst=HOST_B)
    gone = lab.b.log.wait(r"destroying duplicate IKE_SA", mark_b, 5)
    dpd = lab.a.log.wait(r"sending DPD request", mark_a, 20)
    tired = lab.a.log.wait(r"giving up after 3 retransmits", mark_a, 20)
    back = lab.a.log.wait(r"CHILD_SA .* established", mark_a, 10)
    gone_c = lab.b.log.wait(r"destroying duplicate IKE_SA", mark_b, 5, count=2)
    dpd_c = lab.c.log.wait(r"sending DPD request", mark_c, 20)
    tired_c = lab.c.log.wait(r"giving up after 3 retransmits", mark_c, 20)
    back_c = lab.c.log.wait(r"CHILD_SA .* established", mark_c, 10, count=2)
    lab.pause(3)
    lab.capture_stop()
    for who, start, asked, end, up in (("first", gone, dpd, tired, back),
                                       ("second", gone_c, dpd_c, tired_c, back_c)):
        lab.expect("dpd_loss", "error", asked, end, "the %s client's liveness requests on the IKE SA "
                   "that the headend has dropped are never answered" % who)
        lab.expect("tunnel_flap", "error", start, up, "the %s client gives up and starts anew" % who)
    lab.accept("spi_desync esp_one_way retransmission retransmit_exhausted")
    lab.never("nat_port_flip address_change nat_unstable rekey_no_response rekey_rejected "
              "auth_failed proposal_mismatch ts_unacceptable ike_no_response delete_no_restart "
              "clean_delete reauthentication rekey_too_frequent esp_to_stale_port",
              "two clients with ports of their own; nothing moves, nothing is refused")
    lab.cause("spi_desync dpd_loss")
    lab.notes.append("one identity on two NAT ports (IDi, readable with keys) and an IKE_AUTH with "
                     "INITIAL_CONTACT right before each silence is what an analyst should see")
