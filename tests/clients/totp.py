"""An authenticator app: codes of RFC 6238 from a seed."""

import base64
import hashlib
import hmac
import time

STEP = 30


def code(seed, step):
    """The six digits of a step of time."""
    seed = seed.decode() if isinstance(seed, bytes) else seed
    key = base64.b32decode(seed.strip() + "=" * (-len(seed.strip()) % 8))
    tag = hmac.new(key, int(step).to_bytes(8, "big"), hashlib.sha1).digest()
    place = tag[-1] & 15
    return f"{(int.from_bytes(tag[place:place + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


class Device:
    """A virtual device. `now` tells the server's time in seconds."""

    def __init__(self, made, now=time.time):
        found = made["VirtualMFADevice"]
        self.serial, self.seed, self.picture = (
            found["SerialNumber"], found["Base32StringSeed"], found["QRCodePNG"])
        self.now = now

    def code(self, ahead=0):
        """The code so many steps from now."""
        return code(self.seed, self.now() // STEP + ahead)

    def pair(self, *ahead):
        """Two codes as the operations take them, those of now and before unless told."""
        one, two = ahead or (-1, 0)
        return {
            "SerialNumber": self.serial,
            "AuthenticationCode1": self.code(one),
            "AuthenticationCode2": self.code(two),
        }

    def factor(self, ahead=0):
        """One code as STS takes it."""
        return {"SerialNumber": self.serial, "TokenCode": self.code(ahead)}
