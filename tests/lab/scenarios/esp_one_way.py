"""A firewall beside the headend drops its ESP; IKE is fine. No NAT.

For 25 s there is ESP from the client only, while liveness requests on the
IKE SA are answered. Then the rule is removed and traffic is two-way again."""

import time

NAT = False


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "5s"}})
    lab.initiate()
    lab.ping(interval=0.7)
    lab.pause(5)
    mark = lab.a.log.mark()
    rule = lab.top.drop("b", "tx", "udp sport 4500 @th,64,32 != 0")
    start = lab.event("drop-rule-on", where="B", expr="ESP from the headend")
    lab.a.log.wait(r"parsed INFORMATIONAL response", mark, 60, count=4)
    lab.pause(max(0, start + 25 - time.time()))
    end = lab.event("drop-rule-off", where="B", packets_dropped=lab.top.undrop(rule))
    lab.pause(5)
    lab.capture_stop()
    lab.expect("esp_one_way", "error", start, end, "ESP from the client only, liveness requests "
               "answered all the time", direction="A to B only")
    lab.accept("esp_loss")
    lab.healthy("IKE is answered at once, the SAs never change, only ESP in one direction is "
                "missing", but=("esp_one_way", "esp_loss"))
    lab.cause("esp_one_way")
