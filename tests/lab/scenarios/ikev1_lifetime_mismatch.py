"""IKEv1 peers with different lifetimes, each of which offers its own when it is the initiator.

Main Mode shows it in the clear, Quick Mode with keys. Both sides accept what the
other one offers, so nothing breaks."""

NAT = False


def run(lab):
    conn = {"version": 1, "proposals": "aes128-sha256-modp2048", "over_time": "0s"}
    child = {"esp_proposals": "aes128-sha256-modp2048"}
    lab.both(conn=conn, child=child,
             a={"conn": {"rekey_time": "86400s"}, "child": {"rekey_time": "3000s", "life_time": "3600s"}},
             b={"conn": {"rekey_time": "28800s"}, "child": {"rekey_time": "1500s", "life_time": "1800s"}})
    lab.initiate()
    lab.ping(count=6)
    mark = lab.a.log.mark()
    child_at = lab.command("b", "--rekey", "--child", "net")
    lab.a.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.pause(2)
    mark = lab.a.log.mark()
    ike_at = lab.command("b", "--rekey", "--ike", "gw")
    lab.a.log.wait(r"IKE_SA .* established", mark, 10)
    lab.pause(2)
    lab.capture_stop()
    lab.expect("lifetime_mismatch", "warn", child_at, child_at + 2,
               "Quick Mode: the client offered 3600 s, the headend 1800 s", needs_keys=True)
    lab.expect("lifetime_mismatch", "warn", ike_at, ike_at + 2,
               "Main Mode: the client offered 86400 s, the headend 28800 s")
    lab.accept("reauthentication clean_delete")
    lab.never("rekey_too_frequent rekey_rejected rekey_no_response retransmission retransmit_exhausted "
              "proposal_mismatch tunnel_flap tunnel_down dpd_loss spi_desync esp_one_way",
              "both accept what they are offered")
