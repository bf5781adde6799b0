"""The headend loses its state; a program of the lab stands in for it until the client has given up.

What a scenario must know of it: when the headend died, when the client sent
its liveness check, when it gave up, and when the new tunnel was up."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def power_cut(lab, program, *args, note):
    mark = lab.a.log.mark()
    dead = lab.event("kill-9", host="b")
    lab.b.kill()
    stub = lab.top.start("b", sys.executable, os.path.join(HERE, program), *args)
    lab.event("stateless", host="b", note=note)
    dpd = lab.a.log.wait(r"sending DPD request", mark, 30)
    lab.a.log.wait(r"retransmit 4 of request", mark, 30)
    lab.pause(1)
    lab.top.stop(stub)
    lab.b.start()
    lab.event("restarted", host="b")
    gone = lab.a.log.wait(r"giving up after", mark, 60)
    back = lab.b.log.wait(r"CHILD_SA .* established", 0, 30)
    lab.a.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.pause(4)
    lab.capture_stop()
    return dead, dpd, gone, back
