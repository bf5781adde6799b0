"""Post-quantum: ML-KEM-768 beside X25519, by IKE_INTERMEDIATE and IKE_FOLLOWUP_KE.

Needs strongSwan 6. IKE_INTERMEDIATE carries the second key exchange before
IKE_AUTH, in fragments; the rekeys of the child and of the IKE SA go on with
IKE_FOLLOWUP_KE. Healthy; the capture ends before the tunnel does.
IKE_INTERMEDIATE itself has keys that the tables do not hold (one row for each
IKE SA)."""

STRONGSWAN6 = True


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-x25519-ke1_mlkem768"},
             child={"esp_proposals": "aes256-sha256-x25519-ke1_mlkem768"},
             a={"conn": {"dpd_delay": "3s"}})
    lab.initiate()
    lab.ping(count=6)
    lab.rekey_child()
    lab.ping(count=6)
    lab.rekey_ike("b")
    lab.ping(count=6)
    mark = lab.a.log.mark()
    lab.a.log.wait(r"sending DPD request", mark, 20)
    lab.ping(count=4)
    lab.capture_stop()
    lab.healthy("every exchange, fragments and follow-ups included, is answered at once")
    lab.never("clean_delete", "the deleted IKE SA is replaced (CREATE_CHILD_SA, IKE_FOLLOWUP_KE)")
