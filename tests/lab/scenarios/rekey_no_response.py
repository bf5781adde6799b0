"""A firewall swallows one CREATE_CHILD_SA exchange; no NAT, ESP is fine.

The client's rekey and its retransmissions are lost, it gives the IKE SA up
and makes a new one, which is answered at once."""

NAT = False
CHARON_A = {"retransmit_timeout": "1.0", "retransmit_base": "1.8", "retransmit_tries": 3}


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-ecp256"},
             child={"esp_proposals": "aes256-sha256-ecp256"})
    lab.initiate()
    lab.ping(interval=0.7)
    lab.pause(4)
    mark, mark_b = lab.a.log.mark(), lab.b.log.mark()
    rule = lab.top.drop("b", "rx", "udp dport 4500 @th,64,32 0")
    lab.event("drop-rule-on", where="B", expr="IKE on 4500 towards the headend")
    lab.command("a", "--rekey", "--child", "net", background=True)
    t = lab.a.log.wait(r"establishing CHILD_SA", mark, 10)
    lab.a.log.wait(r"retransmit 3 of request", mark, 30)
    lab.pause(2)
    lab.event("drop-rule-off", where="B", packets_dropped=lab.top.undrop(rule))
    gone = lab.a.log.wait(r"giving up after 3 retransmits", mark, 30)
    back = lab.b.log.wait(r"CHILD_SA .* established", mark_b, 30)
    lab.a.log.wait(r"CHILD_SA net\{\d+\} established with", mark, 10)
    lab.pause(4)
    lab.capture_stop()
    lab.expect("rekey_no_response", "error", t, gone, "CREATE_CHILD_SA (rekey of the child) and "
               "three retransmissions are never answered")
    lab.expect("retransmit_exhausted", "error", t, gone, "the client gives the IKE SA up")
    lab.expect("tunnel_flap", "error", t, back, "given up and made anew, however short the gap")
    lab.accept("retransmission")
    lab.never("rekey_rejected proposal_mismatch pfs_mismatch auth_failed dpd_loss nat_port_flip "
              "ike_no_response tunnel_down rekey_collision delete_no_restart clean_delete",
              "one exchange is lost, nothing is refused, the new IKE_SA_INIT is answered")
    lab.never("esp_one_way spi_desync", "ESP of the old SA is two-way until the new SA is there")
    lab.cause("rekey_no_response")
