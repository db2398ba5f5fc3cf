"""Usage: TOOL LOG RECORD - `TOOL watch LOG` in a terminal of 100 columns that is then one of 60,
and gets RECORD. Prints how long the longest lines were before and behind: no more than that."""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

tool, log, record = sys.argv[1:]


def resize(columns):
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def read_until(part):
    seen = b""
    while part not in seen:
        seen += os.read(ours, 4096)
    return seen.decode()


def width(text):
    return max(len(line.rstrip("\r")) for line in text.split("\n"))


ours, theirs = pty.openpty()
resize(100)
watch = subprocess.Popen([tool, "watch", log], stdin=theirs, stdout=theirs, stderr=theirs)
before = read_until(b"below-floor")
resize(60)
with open(log, "a") as out:
    out.write(record)
behind = read_until(b"second.py")
while "below-floor" not in behind:
    behind += read_until(b"below-floor")
watch.terminate()
watch.wait()
if "TIME (UTC)" not in behind:
    sys.exit("no new heading: " + behind)
print(100 if 60 < width(before) <= 100 else width(before), "then",
      60 if width(behind) <= 60 else width(behind))
