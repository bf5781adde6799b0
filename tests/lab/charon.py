"""One charon per host: configuration, start, kill, control and its log."""

import os
import re
import signal
import subprocess
import threading
import time

import need

PLUGINS = ("random nonce aes sha1 sha2 md5 hmac kdf gmp curve25519 openssl gcm pem "
           "pkcs1 pubkey x509 kernel-libipsec kernel-netlink socket-default vici")

# Log lines that become events of truth.json. Nothing secret matches.
EVENTS = (
    ("ike-initiating", r"initiating .*IKE_SA"),
    ("ike-established", r"IKE_SA .* established between"),
    ("ike-rekeyed", r"IKE_SA .* rekeyed between"),
    ("establishing-child", r"establishing CHILD_SA"),
    ("child-established", r"CHILD_SA .* established with SPIs"),
    ("dpd-sent", r"sending DPD request"),
    ("retransmit", r"\bretransmit \d+ of request"),
    ("giveup", r"giving up after"),
    ("dpd-timeout", r"DPD check timed out"),
    ("restart-child", r"restarting CHILD_SA"),
    ("closing-child", r"closing (expired )?CHILD_SA"),
    ("tx-delete", r"sending DELETE for"),
    ("rx-delete", r"received DELETE for"),
    ("deleting-ike", r"deleting IKE_SA"),
    ("rx-notify", r"received \w+ (notify )?error"),
    ("reject", r"unacceptable|sending NO_PROPOSAL_CHOSEN|no matching proposal|"
               r"no acceptable|failed to establish CHILD_SA"),
    ("auth", r"authentication of .* (failed|successful)|MAC mismatched"),
    ("collision", r"rekey collision"),
    ("endpoint", r"(local|remote) endpoint changed"),
)

LINE = re.compile(r"^(\d+\.\d+)\s+\d+\[(\w+)\](?: <([^>]*)>)? ?(.*)$")


def braces(tree, depth=0):
    """A dict as strongswan.conf / swanctl.conf text."""
    pad = "  " * depth
    text = ""
    for key, value in tree.items():
        if isinstance(value, dict):
            text += "%s%s {\n%s%s}\n" % (pad, key, braces(value, depth + 1), pad)
        else:
            text += "%s%s = %s\n" % (pad, key, value)
    return text


def merge(base, extra):
    """Put extra into base; a dict into a dict, None takes a key away."""
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        elif value is None:
            base.pop(key, None)
        else:
            base[key] = value
    return base


class Log:
    """The growing log file of one charon, read line by line."""

    def __init__(self, path, name):
        self.path, self.name = path, name
        self.entries = []                 # (time, group, who, text)
        self._file = None
        self._rest = ""
        self._lock = threading.Lock()

    def read(self):
        with self._lock:
            if self._file is None:
                if not os.path.exists(self.path):
                    return
                self._file = open(self.path, errors="replace")
            self._rest += self._file.read()
            *lines, self._rest = self._rest.split("\n")
            for line in lines:
                found = LINE.match(line)
                if found:
                    t, group, who, text = found.groups()
                    self.entries.append((float(t), group, who or "", text))

    def mark(self):
        self.read()
        return len(self.entries)

    def find(self, pattern, start=0):
        self.read()
        for t, group, who, text in self.entries[start:]:
            if re.search(pattern, text):
                return t
        return None

    def times(self, pattern, start=0):
        self.read()
        return [e[0] for e in self.entries[start:] if re.search(pattern, e[3])]

    def wait(self, pattern, start=0, timeout=60, count=1):
        """Time of the count-th matching entry at or after the mark."""
        end = time.monotonic() + timeout
        while True:
            times = self.times(pattern, start)
            if len(times) >= count:
                return times[count - 1]
            if time.monotonic() > end:
                raise RuntimeError("%s: no '%s' in its log within %g s"
                                   % (self.name, pattern, timeout))
            time.sleep(0.02)

    def events(self):
        self.read()
        for t, group, who, text in self.entries:
            for kind, pattern in EVENTS:
                if group in ("IKE", "NET", "KNL", "CFG") and re.search(pattern, text):
                    yield {"t": round(t, 3), "kind": kind, "src": "charon-" + self.name,
                           "text": "[%s]%s %s" % (group, " <%s>" % who if who else "", text)}
                    break


class Charon:
    def __init__(self, top, host, workdir, options, plugins="", root=None):
        self.top, self.host = top, host
        self.dir = os.path.join(workdir, host)
        os.makedirs(self.dir, exist_ok=True)
        self.logs = []
        self.process = None
        self.uri = "unix://%s/vici" % self.dir
        self.options, self.plugins = options, plugins
        self.root = root                  # of another system to run charon from
        self.config = None

    @property
    def log(self):
        return self.logs[-1]

    def start(self, config=None):
        if config is not None:
            self.config = config
        run = len(self.logs)
        log_path = os.path.join(self.dir, "log%d" % run)
        name = self.host if not run else "%s%d" % (self.host, run + 1)
        self.logs.append(Log(log_path, name))
        charon = {"load": (PLUGINS + " " + self.plugins).strip(), "port": 500, "port_nat_t": 4500,
                  "plugins": {"vici": {"socket": self.uri},
                              "kernel-netlink": {"roam_events": "no"}},
                  "filelog": {"main": {"path": log_path, "flush_line": "yes",
                                       "time_format": "%s", "time_add_ms": "yes", "time_precision": "ms",
                                       "ike_name": "yes", "default": 1,
                                       "ike": 4, "chd": 4, "mgr": 2}}}
        merge(charon, self.options)
        conf = os.path.join(self.dir, "strongswan.conf")
        with open(conf, "w") as out:
            out.write(braces({"charon": charon, "swanctl": {"load": "random openssl"}}))
        vici = self.uri[len("unix://"):]
        if os.path.exists(vici):
            os.unlink(vici)
        with open(os.path.join(self.dir, "output%d" % run), "w") as output:
            self.process = self.top.start(
                self.host, "unshare", "-m", "sh", "-c", self._command(),
                stdout=output, stderr=subprocess.STDOUT,
                env=dict(os.environ, STRONGSWAN_CONF=conf))
        end = time.monotonic() + 20
        while not os.path.exists(vici):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("charon of %s did not start, see %s" % (self.host, self.dir))
            time.sleep(0.02)
        self.load(self.config)

    def _command(self):
        if not self.root:
            return "mount -t tmpfs tmpfs /run && exec " + need.CHARON
        # All of it in a mount namespace of charon's own.
        return ("set -e; cd '{root}'; mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp; "
                "mkdir -p '.{dir}'; mount --bind '{dir}' '.{dir}'; mount --rbind /dev dev; "
                "mount -t proc proc proc; exec chroot . {charon}").format(
                    root=self.root, dir=self.dir, charon=need.CHARON)

    def load(self, config):
        path = os.path.join(self.dir, "swanctl.conf")
        with open(path, "w") as out:
            out.write(braces(config))
        # The socket's file is there a moment before anybody listens to it.
        end = time.monotonic() + 10
        while True:
            code, said = self.swanctl("--load-all", "--file", path)
            if not code:
                return
            if time.monotonic() > end:
                raise RuntimeError("charon of %s: %s" % (self.host, said.strip()[-400:]))
            time.sleep(0.1)

    def swanctl(self, *args, background=False):
        argv = ("swanctl", args[0], "--uri", self.uri) + args[1:]
        env = dict(os.environ, STRONGSWAN_CONF=os.path.join(self.dir, "strongswan.conf"),
                   SWANCTL_DIR=self.dir)
        if background:
            return self.top.start(self.host, *argv, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=env)
        done = subprocess.run(("ip", "netns", "exec", self.top.ns(self.host)) + argv,
                              env=env, text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def kill(self):
        """As a power cut: no DELETE, no memory."""
        self.top.stop(self.process, signal.SIGKILL)

    def stop(self):
        if self.process:
            self.top.stop(self.process, signal.SIGTERM)
