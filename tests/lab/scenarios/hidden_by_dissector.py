"""A tunnel whose NAT mapping has a port that Wireshark gives to OpenVPN.

The NAT maps the client's port 4500 to 1194. Of two ports Wireshark looks at
the lower one first, so that without the plugin (or with its preference
ipsec.claim_4500 off) everything after IKE_SA_INIT is shown as OpenVPN. The
tunnel itself is well: traffic, a rekey, liveness checks, an orderly end."""


def run(lab):
    lab.top.flip(1194)
    lab.both(a={"conn": {"dpd_delay": "3s"}})
    lab.initiate()
    lab.ping(count=6)
    lab.rekey_child()
    lab.ping(count=4)
    lab.liveness()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways")
    lab.never("hidden_by_dissector", "the plugin claims port 4500")
    lab.never("nat_port_flip", "the mapping stays the same")
