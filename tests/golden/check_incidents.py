#!/usr/bin/env python3
# check_incidents.py - is the root cause of every labelled outage right, and does one display filter show the outage?
#
# Prints a table: capture, keys, root causes that its truth allows, the chains found. They must be those of chains.json, which is written by
# hand from what was done to the tunnel: one chain per incident, and where keys tell more, one for each. A healthy capture must have none.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import pathlib
import sys

import runner


def analyse(tshark, capture, home):
    """The report, and {frame: (tunnel, incident)} as the fields of the second pass say."""
    code, out, err = tshark.run(["-2", "-n", "-r", capture, "-Y", "ipsec.tunnel", "-T", "fields", "-e", "frame.number", "-e", "ipsec.tunnel",
                                 "-e", "ipsec.incident", "-e", "ipsec.incident.root_cause", "-z", "ipsec,report,json"], home)
    text = out.decode()
    if code != 0 or "\n{" not in "\n" + text:
        raise RuntimeError(f"tshark failed with {code}: {err.decode(errors='replace').strip()}")
    fields, report = ("\n" + text).split("\n{", 1)
    return json.loads("{" + report), [line.split("\t") for line in fields.splitlines() if line]


def allowed_causes(truth):
    causes = truth.get("root_cause", [])
    return {causes} if isinstance(causes, str) else set(causes)


def expected_chains(chains, name, has_keys):
    """One per incident; None: nobody wrote down any."""
    wanted = chains.get(name)
    return wanted["keys" if has_keys else "nokeys"] if isinstance(wanted, dict) else wanted


def expected_incident(tunnel, frame):
    """The last incident of the tunnel in whose time the frame lies."""
    for incident in reversed(tunnel["incidents"]):
        end = incident["end_frame"] or tunnel["last_frame"]
        if incident["start_frame"] <= frame <= end:
            return incident
    return None


def check_fields(report, fields, where):
    tunnels = {tunnel["tunnel"]: tunnel for tunnel in report["tunnels"]}
    for frame, tunnel, incident, root in fields:
        if "," in tunnel:  # several packets of different tunnels in one frame
            continue
        wanted = expected_incident(tunnels[int(tunnel)], int(frame))
        expected = (str(wanted["incident"]), wanted["root_cause"]) if wanted else ("", "")
        if (incident, root) != expected:
            yield f"{where}, frame {frame}: incident {incident or '-'} {root}, expected {expected}"


def main():
    parser = runner.arguments("Checks root causes against the truth of labelled captures.")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    failures, judged = [], 0
    expected = json.loads((pathlib.Path(__file__).parent / "chains.json").read_text())
    with runner.Runner(options) as tshark:
        print(f"{'capture':42} {'keys':5} {'allowed':46} found")
        for folder in options.folders:
            truth = json.loads((folder / "truth.json").read_text())
            allowed = allowed_causes(truth)
            for keys in (None, folder / "keys"):
                if keys and not keys.is_dir():
                    continue
                where = f"{folder.name} {'with' if keys else 'without'} keys"
                report, fields = analyse(tshark, tshark.capture(folder / "capture.pcapng"), tshark.home(keys))
                incidents = [incident for tunnel in report["tunnels"] for incident in tunnel["incidents"]]
                chains = [" > ".join(incident["chain"]) for incident in incidents]
                if allowed or incidents:
                    print(f"{folder.name:42} {'yes' if keys else 'no':5} {', '.join(sorted(allowed)) or '-':46} {'; '.join(chains) or '-'}")
                wanted = expected_chains(expected, folder.name, keys is not None)
                if allowed and wanted is None:
                    failures.append(f"{where}: chains.json does not say what led to its outage")
                if wanted is not None and sorted(chains) != sorted(wanted):
                    failures.append(f"{where}: expected {'; '.join(wanted) or 'no incident'}")
                judged += len(incidents)
                failures += check_fields(report, fields, where)
                if not allowed and incidents and not truth.get("expected_findings"):
                    failures.append(f"{where}: an incident on a healthy capture")
                failures += [f"{where}: {incident['root_cause']} is none of {sorted(allowed)}" for incident in incidents
                             if allowed and incident["root_cause"] not in allowed]
    print("\n".join([*failures, f"{judged} incidents" if not failures else "FAILED"]))
    return bool(failures) or judged == 0


if __name__ == "__main__":
    sys.exit(main())
