"""Certificates: IKE_AUTH travels in SKF fragments, one of them is lost once.

The loss is behind the capture point. The client sends all fragments again
after a second, with the same bytes, and the tunnel comes up."""

from session import CERTIFICATE
from topology import SKF_FRAGMENT

CHARON = {"fragment_size": 600}


def run(lab):
    lab.certificates()
    lab.both(conn={"fragmentation": "yes", "local": CERTIFICATE, "remote": {"auth": "pubkey"}},
             a={"conn": {"dpd_delay": "3s"}})
    rule = lab.top.drop("b", "rx", SKF_FRAGMENT % 2)
    lab.event("drop-rule-on", where="B", expr="IKE fragment 2, towards the headend")
    mark = lab.a.log.mark()
    waiting = lab.a.swanctl("--initiate", "--child", "net", background=True)
    lab.top.wait_drops(rule)
    lab.event("drop-rule-off", where="B", packets_dropped=lab.top.undrop(rule))
    again = lab.a.log.wait(r"retransmit 1 of request", mark, 10)
    lab.a.log.wait(r"CHILD_SA .* established", mark, 10)
    waiting.wait(10)
    lab.ping(count=8)
    lab.liveness()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("retransmission", "note", again, again + 1, "all fragments of the IKE_AUTH request "
               "once more")
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("complete at the second try, nothing is refused", but=("retransmission",))
