"""Keys from charon's log (levels ike = 4, chd = 4) as Wireshark tables.

The log names the SPIs of an ESP SA beside its keys. For an IKE SA it prints
the keys alone; which SPI pair they belong to is found by checking the
integrity of captured messages. Every row is checked against a packet."""

import hashlib
import hmac
import os
import re

import gcm
import pcapng

BYTES = re.compile(r"^\s*\d+: ((?:[0-9A-F]{2} ?)+)")

ESP_HMAC = {("sha1", 20): "HMAC-SHA-1-96 [RFC2404]",
            ("sha256", 32): "HMAC-SHA-256-128 [RFC4868]",
            ("sha384", 48): "HMAC-SHA-384-192 [RFC4868]",
            ("sha512", 64): "HMAC-SHA-512-256 [RFC4868]"}
IKE_HMAC = {20: ("HMAC_SHA1_96 [RFC2404]", hashlib.sha1, 12),
            32: ("HMAC_SHA2_256_128 [RFC4868]", hashlib.sha256, 16),
            48: ("HMAC_SHA2_384_192 [RFC4868]", hashlib.sha384, 24),
            64: ("HMAC_SHA2_512_256 [RFC4868]", hashlib.sha512, 32)}

SK, SKF = 46, 53          # Encrypted, Encrypted and Authenticated Fragment

PREFERENCES = ("esp.enable_encryption_decode: TRUE\n"
               "esp.enable_authentication_check: TRUE\n"
               "esp.do_esp_sequence_analysis: TRUE\n")


def blobs(log):
    """Yield (time, who, label, bytes or text) with hex dumps joined."""
    log.read()
    pending, want = None, 0
    for t, group, who, text in log.entries:
        dump = BYTES.match(text)
        if dump and pending:
            pending[3] += bytes.fromhex(dump.group(1).replace(" ", ""))
            pending[3] = pending[3][:want]
            if len(pending[3]) >= want:
                yield tuple(pending)
                pending = None
            continue
        head = re.match(r"(.*?) => (\d+) bytes", text)
        if head and group in ("IKE", "CHD"):
            pending, want = [t, who, head.group(1), b""], int(head.group(2))
            continue
        yield t, who, "", "%s %s" % (group, text)


class Keys:
    def __init__(self):
        self.esp = {}            # spi -> (cipher, key, integrity name, integrity key)
        self.ike2 = []           # (time, {label: bytes})
        self.ike1 = []           # (time, key)
        self.triple_des = False  # IKE cipher of 24 octets: 3DES, not AES-192

    def read_log(self, log):
        current, child, algs = {}, {}, {}
        for t, who, label, value in blobs(log):
            if isinstance(value, str):
                self._line(value, child, algs, who)
                continue
            found = re.match(r"Sk_(ei|er|ai|ar) secret", label)
            if found:
                if current.get("who") != who or found.group(1) in current:
                    current = {}
                current["who"] = who
                current[found.group(1)] = value
                if "er" in current and "ei" in current and not current.get("done"):
                    # SK_ai and SK_ar, if any, come before SK_ei and SK_er.
                    current["done"] = True
                    self.ike2.append((t, current))
            elif label.startswith("encryption key Ka"):
                self.ike1.append((t, value))
            found = re.match(r"(encryption|integrity) (initiator|responder) key", label)
            if found:
                child.setdefault(who, {})[found.group(1)[:3] + found.group(2)[:1]] = value

    def _line(self, text, child, algs, who):
        if "selected proposal: IKE:3DES" in text:
            self.triple_des = True
        found = re.search(r"CHD +using (\S+) for (encryption|integrity)", text)
        if found:
            algs.setdefault(who, {})[found.group(2)] = found.group(1)
            if found.group(2) == "encryption":
                algs[who].pop("integrity", None)
            return
        found = re.search(r"CHD adding (inbound|outbound) ESP SA", text)
        if found:
            algs.setdefault(who, {})["way"] = found.group(1)
            return
        found = re.search(r"CHD +SPI 0x([0-9a-f]+), src \S+ dst \S+", text)
        if found and who in algs and "way" in algs[who]:
            algs[who].setdefault("order", []).append((algs[who]["way"], found.group(1)))
            self._child(child.get(who, {}), algs[who], found.group(1))

    def _child(self, material, algs, spi):
        # Filled in by finish(): which of the two key sets belongs to this SPI
        # depends on who began the exchange, so keep both and decide by ICV.
        self.esp.setdefault(spi.zfill(8), []).append(
            (dict(material), dict(algs)))

    # -- matching with the capture ------------------------------------------

    def tables(self, packets):
        """(esp_sa rows, ikev1 rows, ikev2 rows, counts) for these packets."""
        frames = [data for _, data in packets]
        rows2 = []
        pairs, samples = [], {}
        cookies = []
        for _, data in packets:
            message = pcapng.ike(data)
            if not message:
                continue
            pair = (message[:8].hex(), message[8:16].hex())
            if message[17] == 0x10:
                if message[19] & 1 and pair[0] not in cookies:
                    cookies.append(pair[0])
            elif message[16] in (SK, SKF):
                if pair not in samples:
                    pairs.append(pair)
                samples.setdefault(pair, []).append(message)
        sets = []
        for t, material in self.ike2:
            if not any(m["ei"] == material["ei"] for _, m in sets):
                sets.append((t, material))
        used = set()
        for pair in pairs:
            # IKE_INTERMEDIATE changes the keys of an IKE SA: the keys that last.
            good = {index: sum(_ike_icv(material, m) for m in samples[pair])
                    for index, (_, material) in enumerate(sets) if index not in used}
            best = max(good, key=good.get, default=None)
            if best is not None and good[best]:
                used.add(best)
                rows2.append(_ike2_row(pair, sets[best][1], self.triple_des))
        rows1 = []
        ka = []
        for t, key in self.ike1:
            if key not in ka:
                ka.append(key)
        for cookie, key in zip(cookies, ka):
            rows1.append("%s,%s" % (cookie, key.hex()))
        seen, rows = [], []
        for data in frames:
            spi = pcapng.esp_spi(data)
            if spi and spi not in seen:
                seen.append(spi)
        for spi in seen:
            sample = [pcapng.esp(d) for d in frames if pcapng.esp_spi(d) == spi]
            version = "IPv6" if any(d[12:14] == b"\x86\xdd" for d in frames
                                    if pcapng.esp_spi(d) == spi) else "IPv4"
            row = self._esp_row(spi, sample, version)
            if row:
                rows.append(row)
        stats = {"ike_sas_seen": len(pairs), "ike_sas_keyed": len(rows2),
                 "esp_spis_seen": len(seen), "esp_spis_keyed": len(rows),
                 "ikev1_sas_keyed": len(rows1)}
        return rows, rows1, rows2, stats

    def _esp_row(self, spi, samples, version):
        choices = []
        for material, algs in self.esp.get(spi, []):
            for side in ("i", "r"):
                if "enc" + side in material:
                    choices.append((algs, material["enc" + side],
                                    material.get("int" + side, b"")))
        for algs, key, auth in choices:
            cipher = algs.get("encryption", "")
            if auth:
                name = next((name for name, hashing, size in _esp_hmacs(auth)
                             if _esp_icv_is_good(auth, hashing, size, samples[0])), None)
                if not name:
                    continue
                title = "TripleDES-CBC [RFC2451]" if cipher.startswith("3DES") \
                    else "AES-CBC [RFC3602]"
                return ('"%s","*","*","0x%s","%s","0x%s","%s","0x%s"'
                        % (version, spi, title, key.hex(), name, auth.hex()))
        for algs, key, auth in choices:
            if not auth and gcm.tag_is_good(key, samples[0]):
                return ('"%s","*","*","0x%s","AES-GCM with 16 octet ICV [RFC4106]",'
                        '"0x%s","NULL",""' % (version, spi, key.hex()))
        return None


def _esp_hmacs(key):
    """Name, hash and length of the ICV for each way to use a key of this length."""
    for (hashing, size), title in ESP_HMAC.items():
        if len(key) == size:
            yield title, getattr(hashlib, hashing), {20: 12}.get(size, size // 2)
    if len(key) == 32:          # as before RFC 4868
        yield "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]", hashlib.sha256, 12


def _esp_icv_is_good(key, hashing, size, packet):
    return hmac.new(key, packet[:-size], hashing).digest()[:size] == packet[-size:]


def _ike_icv(material, message):
    if not material.get("ai"):
        return gcm.ike_tag_is_good(material["ei" if message[19] & 8 else "er"], message)
    key = material["ai"] if message[19] & 8 else material["ar"]
    _, hashing, size = IKE_HMAC[len(key)]
    return hmac.new(key, message[:-size], hashing).digest()[:size] == message[-size:]


def _ike2_row(pair, material, triple_des):
    size = len(material["ei"])
    if material.get("ai"):
        cipher = "3DES [RFC2451]" if size == 24 and triple_des \
            else "AES-CBC-%d [RFC3602]" % (size * 8)
        integrity = IKE_HMAC[len(material["ai"])][0]
    else:
        cipher = "AES-GCM-%d with 16 octet ICV [RFC5282]" % ((size - 4) * 8)
        integrity = "NONE [RFC4306]"
    return '%s,%s,%s,%s,"%s",%s,%s,"%s"' % (
        pair + (material["ei"].hex(), material["er"].hex(), cipher,
                material.get("ai", b"").hex(), material.get("ar", b"").hex(), integrity))


def write(folder, rows, rows1, rows2):
    """The keys folder: files of a Wireshark profile, for < 4.4 and >= 4.4."""
    for where, extra in ((folder, ""), (os.path.join(folder, "ws44"), ',"32-bit","0"')):
        os.makedirs(where, exist_ok=True)
        for name, lines in (("esp_sa", [row + extra for row in rows]),
                            ("ikev1_decryption_table", rows1),
                            ("ikev2_decryption_table", rows2)):
            with open(os.path.join(where, name), "w") as out:
                out.write("".join(line + "\n" for line in lines))
        with open(os.path.join(where, "preferences"), "w") as out:
            out.write(PREFERENCES)
