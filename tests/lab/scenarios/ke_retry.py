"""The client's first key exchange group is refused, the retry is accepted.

The client starts with ECP-256, the headend wants X25519: INVALID_KE_PAYLOAD
in IKE_SA_INIT, and again when the child is rekeyed with PFS."""


def run(lab):
    lab.both(a={"conn": {"proposals": "aes128-sha256-ecp256-x25519"},
                "child": {"esp_proposals": "aes128-sha256-ecp256-x25519"}},
             b={"conn": {"proposals": "aes128-sha256-x25519"},
                "child": {"esp_proposals": "aes128-sha256-x25519"}})
    mark = lab.a.log.mark()
    t = lab.initiate()
    lab.a.log.wait(r"peer didn't accept key exchange method|peer didn't accept DH group", mark, 5)
    lab.ping(count=6)
    mark, mark_b = lab.a.log.mark(), lab.b.log.mark()
    again = lab.command("a", "--rekey", "--child", "net")
    lab.a.log.wait(r"peer didn't accept key exchange method|peer didn't accept DH group", mark, 5)
    lab.b.log.wait(r"outbound CHILD_SA .* established", mark_b, 10)
    lab.ping(count=6)
    end = lab.terminate()
    lab.capture_stop()
    lab.expect("ke_group_retry", "note", t, t + 1, "IKE_SA_INIT with ECP-256 refused, X25519 wanted")
    lab.expect("ke_group_retry", "note", again, again + 1, "the child's rekey with ECP-256 refused, "
               "X25519 wanted", needs_keys=True)
    lab.expect("clean_delete", "chat", end, end + 1, "the client deletes the only IKE SA, "
               "acknowledged")
    lab.healthy("both retries are accepted at once", but=("ke_group_retry",))
