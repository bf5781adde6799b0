"""The child is rekeyed every 5 s: a lifetime that somebody typed wrong.

Six rekeys by the client, each answered at once; traffic flows throughout."""


def run(lab):
    lab.both(child={"esp_proposals": "aes128-sha256-x25519"},
             a={"child": {"rekey_time": "5s", "rand_time": "0", "life_time": "8s"}})
    lab.initiate()
    lab.ping(interval=1)
    mark = lab.a.log.mark()
    times = [lab.a.log.wait(r"outbound CHILD_SA .* established", mark, 20, count=n)
             for n in range(1, 7)]
    lab.pause(2)
    lab.capture_stop()
    lab.expect("rekey_too_frequent", "warn", times[2], times[-1], "six completed rekeys of the child, "
               "5 s apart")
    lab.healthy("every rekey is answered at once and completed, ESP flows both ways",
                but=("rekey_too_frequent",))
