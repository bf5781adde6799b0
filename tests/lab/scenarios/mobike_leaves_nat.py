"""A client behind a NAT moves to a network without one (MOBIKE).

The headend has seen 198.51.100.7:1409; UPDATE_SA_ADDRESSES comes from
192.0.2.3:4500 and is answered at once. The SPIs stay, traffic goes on."""

from scenarios import mobike

CHARON = mobike.CHARON


def run(lab):
    mobike.move(lab, "198.51.100.7:1409 becomes 192.0.2.3:4500")
