"""A road warrior: EAP-MSCHAPv2, virtual address, certificate of the headend.

Healthy: four EAP rounds in IKE_AUTH, the configuration payload gives the
client an address and a DNS server, one liveness check, one DELETE."""

from session import CERTIFICATE
from topology import HOST_B

PLUGINS = "eap-identity eap-mschapv2"
USER = "road.warrior@example.com"
PASSWORD = "the-password-of-a-sample"


def both(lab, password, method="eap-mschapv2"):
    """The headend knows PASSWORD, the client uses the given one."""
    def login(secret):
        return {"secrets": {"eap-user": {"id": USER, "secret": '"%s"' % secret}}}
    lab.certificates()
    lab.both(a={"conn": {"local": {"auth": method, "eap_id": USER},
                         "remote": {"auth": "pubkey"}, "vips": "0.0.0.0", "dpd_delay": "3s"},
                "child": {"local_ts": "dynamic"}, "more": login(password)},
             b={"conn": {"local": CERTIFICATE, "pools": "clients",
                         "remote": {"auth": method, "eap_id": "%any"}},
                "child": {"remote_ts": "dynamic"},
                "more": dict(login(PASSWORD), pools={"clients": {"addrs": "192.0.2.192/28",
                                                                 "dns": "192.0.2.130"}})})


def run(lab):
    both(lab, PASSWORD)
    lab.initiate()
    given = next(text for _, _, _, text in lab.a.log.entries if "installing new virtual IP" in text)
    lab.ping(count=8, src=given.split()[-1], dst=HOST_B)
    lab.liveness()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("EAP succeeds, ESP flows both ways")
