"""A link with a small MTU, and a firewall that takes the ICMP errors about it.

The link behind R takes 1300 bytes. R says so, by ICMP, and a firewall on the
client drops that: the client's host never learns it. Pings through the tunnel
work, a TCP transfer hangs: its large packets never get beyond R. No NAT."""

import subprocess
import sys

import topology

NAT = False
INSIDE = True
PORT = "5001"

SERVER = ("import socket, sys; s = socket.create_server((sys.argv[1], int(sys.argv[2]))); c, _ = s.accept()\n"
          "while c.recv(65536): pass")
CLIENT = ("import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])), source_address=(sys.argv[3], 0))\n"
          "s.sendall(bytes(4000)); s.recv(1)")


def run(lab):
    lab.both()
    lab.initiate()
    lab.ping(interval=1)
    rule = lab.top.drop("a", "rx", "icmp type destination-unreachable icmp code frag-needed")
    topology.run("ip", "-n", lab.top.ns("r"), "link", "set", "outside", "mtu", "1300")
    lab.event("mtu", where="R, outside", mtu=1300)
    lab.pause(2)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = lab.top.start("b", sys.executable, "-c", SERVER, topology.HOST_B, PORT, **quiet)
    lab.pause(1)
    start = lab.event("transfer-start", frm="a", to=topology.HOST_B, bytes=4000)
    client = lab.top.start("a", sys.executable, "-c", CLIENT, topology.HOST_B, PORT, topology.HOST_A, **quiet)
    lab.top.wait_drops(rule, 10, 60)
    lab.event("icmp-dropped", where="A", packets=lab.top.drops(rule))
    lab.top.stop(client)
    lab.top.stop(server)
    lab.pause(2)
    lab.capture_stop()
    lab.expect("mtu_blackhole", "note", start, None, "the client goes on sending packets of more than 1300 bytes",
               capture="capture-inside.pcapng")
    lab.expect("icmp_unreachable", "note", start, None, "R wants at most 1300 bytes", capture="capture-inside.pcapng")
    lab.accept("esp_loss icmp_unreachable")
    lab.healthy("IKE is answered at once, small ESP flows both ways", but=("mtu_blackhole", "icmp_unreachable", "esp_loss"))
