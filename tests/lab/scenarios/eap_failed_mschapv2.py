"""EAP-MSCHAPv2 with a wrong password, twice.

The headend answers the response to its challenge 2 s later with another
EAP-MSCHAPv2 request, which says failure; the client gives up with
AUTHENTICATION_FAILED in an INFORMATIONAL request. No EAP failure is sent."""

from scenarios import eap, eap_failed

PLUGINS = eap.PLUGINS
# The headend's penalty of 2 s must not look like a loss.
CHARON = {"retransmit_timeout": "4.0"}


def run(lab):
    eap_failed.fail(lab, "eap-mschapv2", r"EAP_MSCHAPV2 method failed", "EAP-MSCHAPv2 failure in "
                    "IKE_AUTH, then AUTHENTICATION_FAILED by the client, twice")
