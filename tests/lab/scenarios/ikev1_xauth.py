"""IKEv1 with XAUTH and Mode Config: transaction exchanges after main mode.

Healthy: user name and password, a virtual address, quick mode, R-U-THERE,
a rekey of phase 2, deletes."""

from topology import HOST_B

PLUGINS = "xauth-generic"
USER = "road.warrior"
PASSWORD = "the-password-of-a-sample"


def both(lab, password):
    """The headend knows PASSWORD, the client uses the given one."""
    def login(secret):
        return {"secrets": {"xauth-user": {"id": USER, "secret": '"%s"' % secret}}}
    lab.both(conn={"version": 1, "proposals": "aes128-sha256-modp2048"},
             child={"esp_proposals": "aes128-sha256-modp2048"},
             a={"conn": {"local-user": {"auth": "xauth", "xauth_id": USER}, "vips": "0.0.0.0",
                         "dpd_delay": "3s"},
                "child": {"local_ts": "dynamic"}, "more": login(password)},
             b={"conn": {"remote-user": {"auth": "xauth"}, "pools": "clients"},
                "child": {"remote_ts": "dynamic"},
                "more": dict(login(PASSWORD), pools={"clients": {"addrs": "192.0.2.192/28",
                                                                 "dns": "192.0.2.130"}})})


def run(lab):
    both(lab, PASSWORD)
    lab.initiate()
    given = next(text for _, _, _, text in lab.a.log.entries if "installing new virtual IP" in text)
    address = given.split()[-1]
    lab.ping(count=6, src=address, dst=HOST_B)
    lab.liveness()
    mark = lab.b.log.mark()
    lab.command("a", "--rekey", "--child", "net")
    lab.b.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.ping(count=6, src=address, dst=HOST_B)
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "DELETE of the child SAs and of the ISAKMP SA",
               needs_keys=True)
    lab.healthy("main mode, XAUTH, Mode Config and quick mode as they should be")
