"""The headend has a half-open IKE SA and asks for a cookie before it answers.

Another try, whose IKE_AUTH never came, is open when the capture starts. The
client's IKE_SA_INIT is answered with N(COOKIE), sent again with the cookie,
and then all is well."""

CHARON_B = {"cookie_threshold": 1, "cookie_threshold_ip": 1, "block_threshold": 0}


def run(lab):
    lab.b.start(lab.config("b"))
    lab.a.start(lab.config("a"))
    rule = lab.top.drop("r", "pass", "iifname inside udp dport 4500")
    mark = lab.b.log.mark()
    lab.a.swanctl("--initiate", "--child", "net", background=True)
    lab.top.wait_drops(rule)
    lab.a.kill()
    lab.event("half-open", note="IKE_SA_INIT answered, IKE_AUTH lost, the client killed")
    lab.top.undrop(rule)
    lab.a.start()
    lab.capture_start()
    t = lab.initiate()
    lab.b.log.wait(r"sending COOKIE|N\(COOKIE\)", mark, 5)
    lab.ping(count=8)
    end = lab.terminate()
    lab.capture_stop()
    lab.expect("cookie_challenge", "note", t, t + 1, "N(COOKIE), and IKE_SA_INIT again with it")
    lab.expect("clean_delete", "chat", end, end + 1, "the client deletes the only IKE SA, "
               "acknowledged")
    lab.healthy("the cookie comes back at once")
