"""The IKE SA is rekeyed twice, once by each side, and each new one works.

After each rekey of the IKE SA the child is rekeyed and the client checks
liveness on the new IKE SA; the headend deletes the tunnel at the end."""


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-x25519"}, a={"conn": {"dpd_delay": "2s"}},
             child={"esp_proposals": "aes128-sha256-x25519"})
    lab.initiate()
    lab.ping(count=6)
    _alive(lab)
    for host, log in (("a", lab.b.log), ("b", lab.a.log)):
        mark = log.mark()
        lab.command(host, "--rekey", "--ike", "gw")
        log.wait(r"IKE_SA .* rekeyed", mark, 10)
        lab.ping(count=4)
        mark = log.mark()
        lab.command(host, "--rekey", "--child", "net")
        log.wait(r"outbound CHILD_SA .* established", mark, 10)
        lab.ping(count=4)
        _alive(lab)
    mark = lab.a.log.mark()
    t = lab.command("b", "--terminate", "--ike", "gw")
    lab.a.log.wait(r"received DELETE for IKE_SA", mark, 10)
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the headend deletes the only IKE SA, acknowledged")
    lab.healthy("two IKE SA rekeys and two child rekeys, all answered at once, ESP two-way")


def _alive(lab):
    """Silence until one side has asked and been answered."""
    mark = lab.a.log.mark()
    lab.a.log.wait(r"sending DPD request", mark, 20)
    lab.pause(0.5)
