"""The NAT changes its port mid-tunnel and the headend's next rekey dies.

Port 1409 becomes 1408 while traffic flows. The headend goes on sending to
1409 until the client's liveness request arrives from 1408 and shows the new
port (the headend answers, and rekeys the child once by itself). Then nothing reaches the client any more; the headend starts a rekey, retransmits
after 1, 2, 4 and 8 s, waits 16 s and gives up without a word. The client
notices 35 s after the last packet it received, and starts anew from 1408."""

CHARON_A = {"retransmit_timeout": "1.0", "retransmit_base": "1.5", "retransmit_tries": 3}
CHARON_B = {"retransmit_timeout": "1.0", "retransmit_base": "2.0", "retransmit_tries": 4}
INSIDE = True


def run(lab):
    top = lab.top
    lab.both(a={"conn": {"dpd_delay": "35s"}},
             child={"esp_proposals": "aes128-sha256-ecp256"})
    lab.initiate()
    lab.ping(interval=1)
    lab.pause(5.5)
    flip = lab.event("nat-port-remap", at="R", old="198.51.100.7:1409", new="198.51.100.7:1408")
    top.flip(1408)
    mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
    learned = lab.b.log.wait(r"remote endpoint changed", mark_b)
    lab.a.log.wait(r"outbound CHILD_SA net\{2\} established", mark_a)
    lab.pause(3)
    rule = top.drop("r", "pass", "iifname outside oifname inside")
    lab.event("drop-rule-on", where="R", expr="outside to inside",
              note="nothing reaches the client any more")
    mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
    lab.command("b", "--rekey", "--child", "net", background=True)
    rekey = lab.b.log.wait(r"establishing CHILD_SA", mark_b)
    gone = lab.b.log.wait(r"giving up after 4 retransmits", mark_b, 60)
    lab.event("drop-rule-off", where="R", packets_dropped=top.undrop(rule))
    dpd = lab.a.log.wait(r"sending DPD request", mark_a, 60)
    tired = lab.a.log.wait(r"giving up after 3 retransmits", mark_a, 60)
    back = lab.b.log.wait(r"CHILD_SA .* established", mark_b, 60)
    lab.pause(4)
    lab.capture_stop()

    outside = {"capture": "capture.pcapng"}
    inside = {"capture": "capture-inside.pcapng"}
    lab.expect("nat_port_flip", "warn", flip, learned,
               "198.51.100.7:1409 becomes :1408 on the same IKE and ESP SPIs",
               old_port=1409, new_port=1408, **outside)
    lab.expect("rekey_no_response", "error", rekey, gone,
               "the headend's CREATE_CHILD_SA (rekey) to :1408 is sent five times and "
               "never answered, it does not reach the client", **outside)
    lab.expect("retransmit_exhausted", "error", rekey, tired,
               "five copies (gaps 1, 2, 4, 8 s), then the headend gives up", **outside)
    lab.expect("tunnel_flap", "error", flip, back,
               "the client starts anew with IKE_SA_INIT, from the new port", **outside)
    lab.expect("tunnel_flap", "error", flip, back,
               "two-way ESP stops, liveness request unanswered, new IKE_SA_INIT", **inside)
    lab.expect("dpd_loss", "error", dpd, tired,
               "the client's liveness request on the IKE SA that the headend has given up "
               "is never answered")
    lab.accept("esp_to_stale_port esp_one_way spi_desync retransmission retransmit_exhausted "
               "dpd_loss esp_loss")
    lab.never("auth_failed proposal_mismatch pfs_mismatch rekey_rejected ts_unacceptable "
              "nat_unstable delete_no_restart", "loss and timeouts, nobody refuses anything")
    lab.cause("nat_port_flip")
    lab.notes.append("the headend's own rekey right after it learned the new port is a habit of "
                     "kernel-libipsec; it is answered and benign")
    lab.notes.append("inside the NAT the port does not change: nat_port_flip is for "
                     "capture.pcapng only")
