"""AES-GCM tag check for one ESP or IKEv2 packet (RFC 4106, RFC 5282),
to tell whose key it is.

Plain and slow, meant for a single small packet; needs no library."""


def _tables():
    exp, log, x = [0] * 512, [0] * 256, 1
    for i in range(255):
        exp[i], log[x] = x, i
        x ^= (x << 1 ^ (0x11B if x & 0x80 else 0))
    exp[255:510] = exp[:255]
    box = [0] * 256
    for value in range(256):
        inv = exp[255 - log[value]] if value else 0
        s = inv
        for shift in range(1, 5):
            s ^= (inv << shift | inv >> 8 - shift) & 0xFF
        box[value] = s ^ 0x63
    return box


BOX = _tables()


def _twice(x):
    return (x << 1 ^ (0x1B if x & 0x80 else 0)) & 0xFF


def _expand(key):
    words = [list(key[i:i + 4]) for i in range(0, len(key), 4)]
    n, rcon = len(words), 1
    for i in range(n, 4 * (n + 7)):
        word = list(words[-1])
        if i % n == 0:
            word = [BOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = _twice(rcon)
        elif n > 6 and i % n == 4:
            word = [BOX[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - n], word)])
    return [sum(words[i:i + 4], []) for i in range(0, len(words), 4)]


def _encrypt(rounds, block):
    state = [a ^ b for a, b in zip(block, rounds[0])]
    for number, round_key in enumerate(rounds[1:], 1):
        state = [BOX[b] for b in state]
        state = [state[(i + 4 * (i % 4)) % 16] for i in range(16)]
        if number < len(rounds) - 1:
            mixed = []
            for c in range(0, 16, 4):
                col = state[c:c + 4]
                total = col[0] ^ col[1] ^ col[2] ^ col[3]
                mixed += [col[i] ^ total ^ _twice(col[i] ^ col[(i + 1) % 4])
                          for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, round_key)]
    return bytes(state)


def _multiply(x, h):
    z = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= h
        h = h >> 1 ^ (0xE1 << 120 if h & 1 else 0)
    return z


def tag(key, nonce, aad, cipher):
    rounds = _expand(key)
    h = int.from_bytes(_encrypt(rounds, bytes(16)), "big")
    data = aad + bytes(-len(aad) % 16) + cipher + bytes(-len(cipher) % 16)
    data += (len(aad) * 8).to_bytes(8, "big") + (len(cipher) * 8).to_bytes(8, "big")
    y = 0
    for i in range(0, len(data), 16):
        y = _multiply(y ^ int.from_bytes(data[i:i + 16], "big"), h)
    mask = int.from_bytes(_encrypt(rounds, nonce + b"\0\0\0\1"), "big")
    return (y ^ mask).to_bytes(16, "big")


def tag_is_good(key_and_salt, esp):
    """ESP from the SPI on, no ESN: 8 octets of IV, ICV of 16."""
    return _sealed(key_and_salt, esp, 8)


def ike_tag_is_good(key_and_salt, message):
    """IKEv2 message whose only payload is SK: RFC 5282, ICV of 16."""
    return _sealed(key_and_salt, message, 32)


def _sealed(key_and_salt, data, clear):
    key, salt = key_and_salt[:-4], key_and_salt[-4:]
    return tag(key, salt + data[clear:clear + 8], data[:clear],
               data[clear + 8:-16]) == data[-16:]
