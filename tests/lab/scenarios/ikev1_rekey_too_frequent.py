"""IKEv1: phase 2 is rekeyed every 5 s, five quick modes after the first.

Each is answered at once; traffic flows throughout."""


def run(lab):
    lab.both(conn={"version": 1, "proposals": "aes128-sha256-modp2048"},
             child={"esp_proposals": "aes128-sha256"},
             a={"child": {"rekey_time": "5s", "rand_time": "0", "life_time": "8s"}},
             b={"child": {"life_time": "8s"}})
    lab.initiate()
    lab.ping(interval=1)
    mark = lab.a.log.mark()
    times = [lab.a.log.wait(r"CHILD_SA .* established", mark, 20, count=n) for n in range(1, 6)]
    lab.pause(2)
    lab.capture_stop()
    lab.expect("rekey_too_frequent", "warn", times[2], times[-1], "five completed rekeys of phase 2, "
               "5 s apart")
    lab.healthy("every quick mode is answered at once and completed, ESP flows both ways",
                but=("rekey_too_frequent",))
