"""What the fleet's tests share: two servers of Debian's ClickHouse, today's by chdb, the example's
schema and configuration in them, and reports of files and of engines held against each other."""
import difflib
import hashlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
EXAMPLE = f"{TREE}/examples/fleet"
# The generator's year, and a report that is the same each time.
MOMENT = {"SOURCE_DATE_EPOCH": "1800000000", "TZ": "UTC"}

started = []


class Count:
    """Of what was checked; the run's last line and exit status."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, detail=""):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print(f"not ok: {name}\n{detail}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


count = Count()
check = count.check


def stop(process):
    """With what it has started, where it leads a session."""
    if process.poll() is None and os.getpgid(process.pid) == process.pid:
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def stop_all():
    for process in started:
        stop(process)


def start(arguments, **options):
    process = subprocess.Popen(arguments, stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    started.append(process)
    return process


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def query(port, text, parameters="", host="127.0.0.1", seconds=600):
    request = urllib.request.Request(f"http://{host}:{port}/{parameters}", text.encode())
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{text[:2000]}\n{error.read().decode()[:2000]}") from error


def await_true(what, condition, seconds=600):
    """As long as it takes on a machine that has much to do; what never comes true is an error."""
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (OSError, RuntimeError):
            pass
        if time.monotonic() > end:
            raise SystemExit(f"fleet: this never came true: {what}")
        time.sleep(0.1)


def await_server(port, host="127.0.0.1"):
    await_true("an engine starts", lambda: query(port, "SELECT 1", host=host))


def shard_files(directory, name, http, tcp, tcps, password, profile="", hosts=("127.0.0.1", "127.0.0.1")):
    """The example's configuration with this run's places in it."""
    home = f"{directory}/{name}"
    os.makedirs(f"{home}/data", exist_ok=True)
    os.makedirs(f"{home}/tmp", exist_ok=True)
    with open(f"{EXAMPLE}/clickhouse.xml", encoding="utf-8") as source:
        text = source.read()
    for host, mark, port in zip(hosts, ("FIRST_TCP_PORT", "SECOND_TCP_PORT"), tcps):
        text = text.replace(f"<host>127.0.0.1</host><port>{mark}</port>", f"<host>{host}</host><port>{port}</port>")
    text = text.replace("DIRECTORY", home).replace("HTTP_PORT", str(http)).replace("TCP_PORT", str(tcp))
    if hosts[0] != "127.0.0.1":
        text = text.replace("<listen_host>127.0.0.1</listen_host>", "<listen_host>0.0.0.0</listen_host>")
    with open(f"{home}/config.xml", "w", encoding="utf-8") as out:
        out.write(text)
    with open(f"{EXAMPLE}/users.xml", encoding="utf-8") as source:
        text = source.read().replace("READER_PASSWORD_SHA256", hashlib.sha256(password.encode()).hexdigest())
    for host in set(hosts) - {"127.0.0.1"}:
        text = text.replace("<ip>127.0.0.1</ip>", f"<ip>127.0.0.1</ip><ip>{host}</ip>")
    with open(f"{home}/users.xml", "w", encoding="utf-8") as out:
        out.write(text.replace("<readonly>1</readonly>", f"<readonly>1</readonly>{profile}"))
    return home


def run_shard(home, before=()):
    # Its own account of what it does is in server.log.
    with open(f"{home}/out", "a", encoding="utf-8") as out:
        return start([*before, "clickhouse-server", f"--config-file={home}/config.xml"], stdout=out, stderr=out)


def start_shard(directory, name, http, tcp, tcps, password, profile=""):
    process = run_shard(shard_files(directory, name, http, tcp, tcps, password, profile))
    await_server(http)
    return process


def statements(cluster="tlswitness", days=20000):
    """The schema, to be sent one by one; `days` far away, since the tests' records are old."""
    with open(f"{EXAMPLE}/schema.sql", encoding="utf-8") as source:
        text = re.sub(r"^\s*--.*$", "", source.read(), flags=re.M)
    text = text.replace("{cluster}", cluster).replace("{days}", str(days))
    return [part for part in text.split(";") if part.strip()]


def start_today():
    """Today's ClickHouse: one node, no cluster."""
    server = start(["node", f"{TREE}/tests/fleet/chdb.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    for statement in statements():
        if "Distributed" not in statement:
            query(port, statement.replace("TO tlswitness.tls", "TO tlswitness.local"))
    return port


def start_debian(directory, password):
    """Two shards; their ports and processes."""
    https, tcps = (free_port(), free_port()), (free_port(), free_port())
    shards = [start_shard(directory, f"shard{n}", https[n], tcps[n], tcps, password) for n in (0, 1)]
    for port in https:
        for statement in statements():
            query(port, statement)
    return https, tcps, shards


def insert(port, lines, parameters="?insert_distributed_sync=1"):
    rows = [json.dumps({"sender": json.loads(line)["host.name"], "line": line}, ensure_ascii=False)
            for line in lines]
    for at in range(0, len(rows), 5000):
        query(port, "INSERT INTO tlswitness.received FORMAT JSONEachRow " + "\n".join(rows[at:at + 5000]),
              parameters)


def load(spool, port, batches):
    """The example's own, of what the collector has put down: batches by their senders."""
    for sender, body in batches:
        os.makedirs(f"{spool}/arrived/{sender}", exist_ok=True)
        with open(f"{spool}/arrived/{sender}/{secrets.token_hex(16)}", "wb") as out:
            out.write(body)
    loading = start([f"{EXAMPLE}/load", spool, f"http://127.0.0.1:{port}"], start_new_session=True)
    await_true("the engine has what arrived", lambda: not any(files for _, _, files in os.walk(spool)))
    stop(loading)


def nightly(port, **settings):
    """The example's own, for one shard."""
    done = subprocess.run([f"{EXAMPLE}/nightly", f"http://127.0.0.1:{port}"], capture_output=True, text=True,
                          env={**os.environ, "SETTLE": "0", "DAYS": "40000", **settings}, check=False)
    if done.returncode:
        raise RuntimeError(f"nightly: {done.stdout}{done.stderr}")
    return done.stdout


def report(tool, arguments, password="", user="reader", timeout=600):
    return subprocess.run([tool, "report", *arguments], capture_output=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **MOMENT, "TLSWITNESS_ENGINE_USER": user,
                               "TLSWITNESS_ENGINE_PASSWORD": password}, timeout=timeout, check=False)


def without_inputs(output):
    """Every format names what it was made of, and how it was asked: all else has to be the same."""
    text = output.decode()
    if text.startswith("{"):
        parsed = json.loads(text)
        for member in ("inputs", "command"):
            parsed.pop(member, None)
        return json.dumps(parsed, indent=1)
    text = re.sub(r"^\$ tlswitness report.*\n| from \d+ logs?: [^\n]*$", "", text, flags=re.M)
    text = re.sub(r'command="[^"]*"|by <code>tlswitness report.*?</code>', "", text)
    return re.sub(r"<table[^>]*>\s*<caption>Inputs</caption>.*?</table>", "", text, flags=re.S)


def first_difference(one, other):
    return "\n".join(list(difflib.unified_diff(one.splitlines(), other.splitlines(), lineterm="", n=0))[:8])


def compare(tool, files, url, password, asked, name=""):
    for arguments in asked:
        of_files = report(tool, [*arguments, *files])
        of_engine = report(tool, [*arguments, "--from", url], password)
        same, other = without_inputs(of_files.stdout), without_inputs(of_engine.stdout)
        check(f"{name} {url} {' '.join(arguments)}",
              same and same == other and of_engine.returncode == of_files.returncode,
              f"{of_engine.returncode} {of_files.returncode} {of_engine.stderr.decode()[:500]}\n"
              f"{first_difference(same, other)}")


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sign(pki, name, file, address="127.0.0.1", subject=None):
    """A certificate of the authority in `pki` for `name`: FILE.pem and FILE.key."""
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject or f"/CN={name}", "-keyout", f"{file}.key",
            "-out", f"{file}.csr")
    with open(f"{file}.ext", "w", encoding="utf-8") as out:
        out.write(f"subjectAltName=DNS:{name},IP:{address}\n")
    openssl("x509", "-req", "-in", f"{file}.csr", "-CA", f"{pki}/ca.pem", "-CAkey", f"{pki}/ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", f"{file}.ext", "-out", f"{file}.pem")


def authority(pki):
    os.makedirs(pki)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fleet-ca", "-keyout",
            f"{pki}/ca.key", "-out", f"{pki}/ca.pem")


def certify(directory):
    """An authority, a collector and a host, for one machine."""
    authority(f"{directory}/pki")
    sign(f"{directory}/pki", "localhost", f"{directory}/pki/collector")
    sign(f"{directory}/pki", "mail.example.com", f"{directory}/pki/host")
