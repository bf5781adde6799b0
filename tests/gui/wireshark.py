# wireshark.py - how is the Wireshark window driven, and read?
#
# It runs on a virtual screen, as a user other than root (golden/runner.py says why), in a D-Bus session of its own. What the
# window shows is read through the accessibility interface (AT-SPI), as a screen reader does: exact texts, no picture compared. Nothing
# waits for a time: everything waits for what it wants to see, until a deadline that only a failure meets.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
sys.path.insert(0, str(GOLDEN))
import runner  # noqa: E402

PROGRAMS = ["wireshark", "Xvfb", "openbox", "xdotool", "import", "dbus-run-session"]
SKIPPED = 77
DEADLINE = 120
SCREEN = "1440x900x24"
KEEP_ADDRESSES = "keep_addresses.so"
MANY, MANY_TROUBLED = 240, 24  # tunnels of the capture many.pcap


class Failure(Exception):
    """The window does not show what it should."""


# ---- the outer process: folders, another user, a D-Bus session ----


def missing():
    """What is not installed, in words; empty: nothing."""
    programs = [name for name in PROGRAMS if not shutil.which(name)]
    probe = "import gi; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi"
    if subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode != 0:
        programs.append("Python's gi with Atspi")
    return ", ".join(programs)


def run(description, inside, add_arguments=None):
    """The main function of a check: sets the scene, then calls `inside(options)` in it. Returns the exit code."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--plugin", required=True, type=pathlib.Path, help="the plugin, in a folder M.m/epan")
    parser.add_argument("--preload", default="", help="library to load before all others (AddressSanitizer)")
    parser.add_argument("--keep-addresses", type=pathlib.Path, help="keep_addresses.c as a library: needed for Wireshark with Qt 5")
    parser.add_argument("--generate", type=pathlib.Path, help="the program bench_generate, for captures with many tunnels")
    parser.add_argument("--profile", type=pathlib.Path, default=GOLDEN.parent.parent / "plugin/profile", help="the profile's folder")
    parser.add_argument("--samples", type=pathlib.Path, default=GOLDEN.parent.parent / "sample-pcaps")
    parser.add_argument("--wireshark", default="wireshark")
    parser.add_argument("--stage", type=pathlib.Path, help=argparse.SUPPRESS)
    if add_arguments:
        add_arguments(parser)
    options = parser.parse_args()
    if options.stage:
        return play(options, inside)
    if missing():
        print(f"SKIPPED: no {missing()}. On Debian, tools/setup.sh window installs what is needed")
        return SKIPPED
    options.tshark = "tshark"
    with runner.Runner(options) as stage:
        return send_to_stage(options, stage)


def send_to_stage(options, stage):
    """Runs this same script again, as the user and in the session in which Wireshark can run."""
    home = stage.home()
    shutil.copytree(options.profile, home / ".config/wireshark/profiles/IPsec")
    shutil.copytree(GOLDEN, stage.folder / "tests/golden", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(pathlib.Path(__file__).parent, stage.folder / "tests/gui", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(options.profile, stage.folder / "plugin/profile")
    (stage.folder / "plugin/engine").mkdir()
    shutil.copy(GOLDEN.parent.parent / "plugin/engine/findings.def", stage.folder / "plugin/engine")
    for name in ("run", "out"):
        (stage.folder / name).mkdir()
    shutil.rmtree(stage.folder / "captures")
    shutil.copytree(options.samples, stage.folder / "captures")
    if options.generate:
        command = [options.generate, "--tunnels", MANY, "--packets", MANY * 25, "--troubled", MANY_TROUBLED, stage.folder / "captures/many.pcap"]
        subprocess.run([str(part) for part in command], check=True)
    if options.keep_addresses:
        shutil.copy(options.keep_addresses, stage.folder / KEEP_ADDRESSES)
    for path in (stage.folder, *stage.folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    user = {}
    if os.geteuid() == 0:
        user = {"user": runner.NOBODY, "group": runner.NOBODY, "extra_groups": []}
        for path in (stage.folder / "run", stage.folder / "out", home, *home.rglob("*")):
            os.chown(path, runner.NOBODY, runner.NOBODY)
    (stage.folder / "run").chmod(0o700)
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC",
        "XDG_RUNTIME_DIR": str(stage.folder / "run"), "WIRESHARK_PLUGIN_DIR": str(stage.folder / "with"),
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "QT_ACCESSIBILITY": "1", "QT_QPA_PLATFORM": "xcb", "PYTHONDONTWRITEBYTECODE": "1",
        "GSETTINGS_BACKEND": "memory", "WIRESHARK_EXTCAP_DIR": str(stage.folder / "without"),  # nothing is captured here
    }
    script = stage.folder / "tests/gui" / pathlib.Path(sys.argv[0]).name
    command = ["dbus-run-session", "--", sys.executable, script, *sys.argv[1:], "--stage", stage.folder]
    code = subprocess.run([str(part) for part in command], env=environment, cwd=stage.folder, stdin=subprocess.DEVNULL,
                          check=False, **user).returncode
    keep_pictures(options, stage.folder / "out")
    return code


def keep_pictures(options, out):
    folder = getattr(options, "screenshots", None)
    for picture in sorted(out.glob("*.png")) if folder else []:
        shutil.copyfile(picture, folder / picture.name)


# ---- the inner process: a screen, a window manager, Wireshark ----


def play(options, inside):
    screen = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    os.environ["DISPLAY"] = ":" + screen.stdout.readline().strip()
    manager = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return inside(options)
    finally:
        for process in (manager, screen):
            process.terminate()
            process.wait()


def wait(what, condition, deadline=DEADLINE, also=None):
    """The first true result of condition(). What comes to nothing while the window changes counts as not yet."""
    from gi.repository import GLib

    until = time.monotonic() + deadline
    error = None
    while time.monotonic() < until:
        if also and not also():
            raise Failure(f"Wireshark ended while waiting for {what}")
        try:
            error = None
            result = condition()
            if result:
                return result
        except GLib.Error as failed:
            error = failed
        while GLib.MainContext.default().iteration(False):
            pass
        time.sleep(0.05)
    raise Failure(f"in {deadline} s there was no {what}" + (f" (at last: {error})" if error else ""))


def can_be_driven(options):
    """Does Wireshark show its window here, to eyes and to screen readers, without the plugin?"""
    try:
        with Wireshark(options, environment={"WIRESHARK_PLUGIN_DIR": str(options.stage / "without")}):
            return True
    except (Failure, OSError) as failure:
        print(f"Without the plugin: {failure}", flush=True)
        return False


def role_of(node):
    """The name of its role; newer libraries call a push button a button."""
    role = node.get_role_name()
    return "push button" if role == "button" else role


def children(node):
    for i in range(node.get_child_count()):
        child = node.get_child_at_index(i)
        if child is not None:
            yield child


def walk(node, depth=14, into=lambda node: role_of(node) not in ("tree", "table", "menu bar", "list")):
    """The node and everything below it that is not a row of a long list."""
    yield node
    if depth and into(node):
        for child in children(node):
            yield from walk(child, depth - 1, into)


def describe(node, depth=14, indent=""):
    """What a screen reader would find in a window, a line for each thing: for who looks into a failure."""
    try:
        lines = [f"{indent}{role_of(node)} {node.get_name()!r}{'' if is_shown(node) else ' (hidden)'}"]
        if depth and role_of(node) not in ("tree", "table", "menu bar", "list"):
            for child in children(node):
                lines += describe(child, depth - 1, indent + "  ")
        return lines
    except Exception as error:  # whatever it is, the description goes on
        return [f"{indent}? {error}"]


def find(node, role, name=None):
    for item in walk(node):
        if role_of(item) == role and (name is None or item.get_name() == name):
            return item
    return None


def find_shown(node, role, name=None):
    for item in walk(node):
        if role_of(item) == role and (name is None or item.get_name() == name) and is_shown(item):
            return item
    return None


def text_of(node):
    from gi.repository import Atspi

    return Atspi.Text.get_text(node, 0, -1)


def press(node):
    """Does what a click on it does. A dialog that waits for its user keeps the answer: that is no failure."""
    from gi.repository import GLib

    try:
        node.do_action(0)
    except GLib.Error as error:
        if "timed out" not in str(error).lower() and "did not receive a reply" not in str(error).lower():
            raise
    return True


def is_shown(node):
    from gi.repository import Atspi

    return node.get_state_set().contains(Atspi.StateType.SHOWING)


class Wireshark:
    """A running Wireshark; to be used in a with statement."""

    def __init__(self, options, *args, environment=None):
        self.stage = options.stage
        self.application = None
        self.pictures = getattr(options, "screenshots", None)
        self.log = open(self.stage / "out/wireshark.log", "w+", encoding="utf-8", errors="replace")
        environment = dict(os.environ, **(environment or {}))
        addresses = self.stage / KEEP_ADDRESSES
        preload = [options.preload] if options.preload else [str(addresses)] if addresses.exists() else []
        environment["LD_PRELOAD"] = ":".join(preload)
        self.process = subprocess.Popen([options.wireshark, *map(str, args)], env=environment, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        try:
            self.attach()
        except Exception:
            self.__exit__()
            raise

    def attach(self):
        """Waits for the window, and finds what a screen reader would."""
        # Not the splash screen. Whoever asks too early on the accessibility bus is told that there is nothing, and believes it.
        wait("Wireshark's window", lambda: xdotool("search", "--all", "--onlyvisible", "--pid", str(self.process.pid),
                                                  "--name", "pcap|Network Analyzer"), also=self.is_running)
        import gi

        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi

        Atspi.set_timeout(2000, 2000)
        self.atspi = Atspi
        self.application = wait("Wireshark on the accessibility bus", self.find_application, also=self.is_running)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_running():
            self.process.kill()
        self.process.wait()

    def is_running(self):
        return self.process.poll() is None

    def find_application(self):
        desktop = self.atspi.get_desktop(0)
        desktop.clear_cache()
        for application in children(desktop):
            if application.get_process_id() == self.process.pid:
                application.set_cache_mask(self.atspi.Cache.NONE)
                return application
        return None

    def said(self):
        """Everything that Wireshark wrote to its terminal."""
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def wait(self, what, condition, deadline=DEADLINE):
        return wait(what, condition, deadline, self.is_running_and_not_remembered)

    def is_running_and_not_remembered(self):
        """Called before each look: what libatspi remembers of a window that is gone would stand for a new one with the same number."""
        if self.application:
            self.application.clear_cache()
        return self.is_running()

    # ---- windows ----

    def window(self, title):
        """The window whose title contains `title`, or None."""
        for window in children(self.application):
            if title in (window.get_name() or "") and is_shown(window):
                return window
        return None

    def titles(self):
        return [window.get_name() for window in children(self.application)]

    def describe(self):
        return [line for window in children(self.application) for line in describe(window)]

    def wait_window(self, title):
        return self.wait(f"window {title!r}", lambda: self.window(title))

    def wait_gone(self, title):
        self.wait(f"end of window {title!r}", lambda: not xdotool("search", "--onlyvisible", "--name", title))

    def close(self, title):
        """Closes a dialog as its user does, with the Escape key."""
        self.keys(title, "Escape")
        self.wait_gone(title)

    def main(self):
        for window in children(self.application):
            if find(window, "menu bar"):
                return window
        return None

    def main_title(self):
        """For xdotool: only this window, and not those that have the capture's name in their titles too."""
        return "^" + re.escape(self.main().get_name()) + "$"

    def wait_capture(self, name):
        """The capture is open and its packets are listed."""
        self.wait(f"capture {name}", lambda: self.main() and name in self.main().get_name())
        return self.wait(f"packets of {name}", lambda: self.packet_list().get_child_count() > len(self.columns()) and self.status_is_idle())

    def status_is_idle(self):
        return any("Packets: " in (item.get_name() or "") for item in walk(self.main()) if role_of(item) == "label")

    # ---- keys and the mouse, where nothing else will do ----

    def keys(self, title, *keys):
        """To the window of that title, once it has the focus."""
        ids = self.wait(f"X window {title!r}", lambda: xdotool("search", "--onlyvisible", "--name", title))
        xdotool("windowactivate", "--sync", ids.split()[-1])
        xdotool("key", "--clearmodifiers", *keys)

    def click(self, node, button="1"):
        box = node.get_extents(self.atspi.CoordType.SCREEN)
        xdotool("mousemove", str(box.x + min(20, box.width // 2)), str(box.y + box.height // 2), "click", button)

    def type_into(self, field, text):
        """With the keyboard, where a field wants to be typed into."""
        self.click(field)
        xdotool("key", "--clearmodifiers", "ctrl+a")
        xdotool("type", text)
        self.wait(f"{text!r} in the field", lambda: text_of(field) == text)

    def click_word(self, *words):
        """Clicks where these words stand on the screen, one after the other, found by OCR: the menu of a packet list is on no
        accessibility bus."""
        x, y = self.wait(f"{' '.join(words)!r} on the screen", lambda: seen_at(words))
        xdotool("mousemove", str(x), str(y), "click", "1")

    def colour_at(self, node):
        """The colour of the background at the right end of a cell, as three bytes."""
        box = node.get_extents(self.atspi.CoordType.SCREEN)
        done = subprocess.run(["import", "-window", "root", "-crop", f"1x1+{box.x + box.width - 2}+{box.y + 2}", "-depth", "8", "rgb:-"],
                              capture_output=True, check=True)
        return tuple(done.stdout[:3])

    def packet_cell(self, frame):
        """The cell with a frame's number in the packet list; without a filter, rows are in the order of the capture."""
        tree = self.packet_list()
        return tree.get_child_at_index(len(self.columns(tree)) * frame)

    # ---- menus ----

    def menu(self, *path):
        """Chooses an entry of the menu bar: menu("Statistics", "IPsec Tunnels")."""
        def choose():
            node = find(self.main(), "menu bar")
            for name in path:
                node = self.entry(node, name)
            return press(node)

        self.wait(f"menu {' > '.join(path)}", choose)

    def entry(self, node, name):
        def look():
            for item in walk(node, 3, lambda _: True):
                if (item.get_name() or "").replace("&", "").rstrip("…") == name:
                    return item
            return None

        return self.wait(f"menu entry {name!r}", look)

    # ---- the main window ----

    def tree(self, name):
        return self.wait(f"{name} list", lambda: find(self.main(), "tree", name))

    def packet_list(self):
        return self.tree("Packet list")

    def columns(self, tree=None):
        names = []
        for child in children(tree or self.packet_list()):
            if role_of(child) != "table column header":
                break
            names.append(child.get_name().strip())
        return names

    def filter_field(self):
        """The text field of the main window's filter; the find bar has one too, which is hidden."""
        for item in walk(self.main()):
            if role_of(item) == "text" and item.get_name() == "Display filter entry" and is_shown(item):
                return item
        return None

    def filter_text(self):
        return text_of(self.filter_field())

    def filter(self, text):
        """Types a display filter into the main window's field and applies it."""
        self.wait("filter field", self.filter_field).set_text_contents(text)
        self.wait("filter text", lambda: self.filter_text() == text)
        self.filter_field().grab_focus()
        self.keys(self.main_title(), "Return")

    def displayed(self):
        """How many packets the status bar says are displayed; all of them without a filter."""
        for item in walk(self.main()):
            name = item.get_name() or "" if role_of(item) == "label" else ""
            found = re.search(r"Packets: (\d+)(?:.*Displayed: (\d+))?", name)
            if found:
                return int(found.group(2) or found.group(1))
        return None

    def details(self):
        """The lines of the packet details that are visible."""
        return [child.get_name() for child in children(self.tree("Packet details")) if role_of(child) == "table cell"]

    def go_to(self, frame):
        """Selects a packet, and brings it into view."""
        self.menu("Go", "Go to Packet")
        field = self.wait("field for the packet's number", lambda: find_shown(self.main(), "text", ""))
        field.set_text_contents(str(frame))
        press(self.wait("button", lambda: find_shown(self.main(), "push button", "Go to packet")))
        return self.wait_frame(frame)

    def wait_frame(self, frame):
        """The packet is selected; the lines of its details."""
        return self.wait(f"details of frame {frame}",
                         lambda: self.details()[:1] and self.details()[0].startswith(f"Frame {frame}:") and self.details())

    def last_detail(self):
        return [child for child in children(self.tree("Packet details")) if role_of(child) == "table cell"][-1]

    def expand_last_detail(self):
        lines = len(self.details())
        self.click(self.last_detail())
        self.wait("selected detail", lambda: self.last_detail().get_state_set().contains(self.atspi.StateType.SELECTED))
        self.menu("View", "Expand Subtrees")
        self.wait("more details", lambda: len(self.details()) > lines)

    def collapse_last_detail(self):
        self.menu("View", "Collapse All")

    # ---- opening and closing ----

    def open(self, path):
        """File > Open, with the path typed in."""
        self.menu("File", "Open")
        self.wait_window("Open Capture File")
        field = self.wait("file name", lambda: find(self.window("Open Capture File"), "text", "File name:"))
        field.set_text_contents(str(path))
        self.button("Open Capture File", "Open")
        self.wait_gone("Open Capture File")
        self.wait_capture(path.name)

    def discard_changes(self):
        """Answers the question whether the capture should be saved, if it is asked."""
        def answer():
            for window in children(self.application):
                for item in walk(window, 6):
                    name = item.get_name() or ""
                    if role_of(item) == "push button" and is_shown(item) and ("without Saving" in name or "Don't Save" in name or "without &Saving" in name):
                        press(item)
                        return True
            return "Wireshark Network Analyzer" in self.main().get_name()

        self.wait("question about saving", answer)

    def wait_end(self):
        wait("end of Wireshark", lambda: self.process.poll() is not None)

    def maximize(self):
        self.wait("X window", lambda: xdotool("search", "--onlyvisible", "--name", self.main_title()))
        self.keys(self.main_title(), "super+Up")
        self.resize(self.main_title(), 1420, 860)

    def resize(self, title, width, height):
        xid = self.wait(f"X window {title!r}", lambda: xdotool("search", "--onlyvisible", "--name", title)).split()[-1]
        xdotool("windowmove", xid, "5", "20")
        xdotool("windowsize", "--sync", xid, str(width), str(height))

    def tidy(self):
        """After a failure: closes what is open, shows all packets."""
        xdotool("key", "--clearmodifiers", "Escape", "Escape")
        for title in [title for title in self.titles() if title.startswith("Wireshark · ")]:
            try:
                self.close(title)
            except Failure:
                pass
        self.filter("")

    # ---- preferences ----

    def open_preferences_page(self, name):
        self.click(self.wait("Protocols", lambda: self.page("Protocols")))
        self.wait("selected page", lambda: self.page("Protocols").get_state_set().contains(self.atspi.StateType.SELECTED))
        xdotool("key", "--clearmodifiers", "Right")
        self.wait(f"page {name}", lambda: self.page(name))
        xdotool("type", name)
        self.wait("selected page", lambda: self.page(name).get_state_set().contains(self.atspi.StateType.SELECTED))

    def page(self, name):
        """The entry of a page in the list at the left of the preferences."""
        for tree in walk(self.window("Preferences")):
            if role_of(tree) != "tree" or tree.get_child_count() > 5000:
                continue
            names = [cell.get_name() for cell in children(tree)]
            if "Protocols" in names:
                return tree.get_child_at_index(names.index(name)) if name in names else None
        return None

    def preference(self, beginning):
        """The field of a preference, by the label before it."""
        label = None
        for item in walk(self.window("Preferences")):
            if not is_shown(item):
                continue
            if role_of(item) == "label" and (item.get_name() or "").startswith(beginning):
                label = item
            elif label is not None and role_of(item) in ("text", "check box", "combo box"):
                return item
        return None

    # ---- tables in other windows ----

    def sort_by(self, title, column):
        tree = find(self.window(title), "tree")
        self.click(next(child for child in children(tree) if child.get_name().strip() == column))

    def has_colour_above(self, title, node, colour, pixels):
        """The part of a window above something in it has at least so many pixels of about this colour: thin lines are blended with
        what is behind them."""
        window = self.window(title).get_extents(self.atspi.CoordType.SCREEN)
        height = node.get_extents(self.atspi.CoordType.SCREEN).y - window.y
        part = f"{window.width}x{height}+{window.x}+{window.y}"
        done = subprocess.run(["import", "-window", "root", "-crop", part, "-depth", "8", "rgb:-"], capture_output=True, check=True)
        found = 0
        for i in range(0, len(done.stdout) - 2, 3):
            found += all(abs(is_now - should_be) < 32 for is_now, should_be in zip(done.stdout[i:i + 3], colour))
        return found >= pixels

    def table(self, title, role="tree"):
        """(column names, rows) of the first table in a window."""
        tree = self.wait(f"table in {title!r}", lambda: find(self.window(title), role))
        names = self.columns(tree)
        cells = [child.get_name() for child in children(tree) if role_of(child) == "table cell"]
        return names, [cells[i:i + len(names)] for i in range(0, len(cells), len(names))]

    def button(self, title, name):
        self.wait(f"button {name!r}", lambda: press(find(self.window(title), "push button", name)))

    # ---- pictures ----

    def picture(self, name, title=None):
        """A picture of one window, or of the whole screen, with few colours: they are for documents."""
        if not self.pictures:
            return
        target = "root"
        if title:
            target = self.wait(f"X window {title!r}", lambda: xdotool("search", "--onlyvisible", "--name", title)).split()[-1]
            xdotool("windowactivate", "--sync", target)
        path = self.stage / "out" / (name + ".png")
        subprocess.run(["import", "-window", target, "+dither", "-colors", "64", "-strip", str(path)], check=True)


def xdotool(*args):
    done = subprocess.run(["xdotool", *args], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def seen_at(words):
    """The middle of the first of some words that stand side by side on the screen, by OCR, or None."""
    picture = subprocess.run(["import", "-window", "root", "-resize", "200%", "png:-"], capture_output=True, check=True).stdout
    table = subprocess.run(["tesseract", "-", "-", "--psm", "11", "tsv"], input=picture, capture_output=True, check=True).stdout
    rows = [row.split("\t") for row in table.decode(errors="replace").splitlines()[1:]]
    read = [row for row in rows if len(row) == 12 and row[11].strip()]
    for i in range(len(read) - len(words) + 1):
        if [row[11] for row in read[i:i + len(words)]] == list(words):
            left, top, width, height = (int(part) for part in read[i][6:10])
            return (left + width // 2) // 2, (top + height // 2) // 2
    return None
