"""The suites: each runs once, as it is told to, and gives the outcome of each of its tests."""
import glob
import os
import re
import shutil
import xml.etree.ElementTree

# CPython's test_socket waits for VSOCK for ever, bare too, on a machine that has it.
CPYTHON_OPTIONS = ["-j2", "--timeout", "1700", "-i", "*VSOCK*"]
CPYTHON_MODULES = """test_ssl test_smtplib test_socket test_asyncio test_subprocess test_threading
    test_ftplib test_poplib test_imaplib test_httplib test_urllib2_localnet test_httpservers
    test_socketserver test_selectors test_select test_poll test_epoll test_os test_posix test_signal
    test_fcntl test_mailbox test_ctypes test_gc test_thread test_fork1 test_wait3 test_wait4 test_io
    test_fileio test_file test_popen test_pty test_resource test_exceptions test_largefile
    test_hashlib""".split()
CPYTHON_311_MODULES = [*CPYTHON_MODULES, "test_multiprocessing_fork", "test_nntplib", "test_smtpd",
                       "test_pipes"]

CPYTHON_313_MODULES = [name for name in [*CPYTHON_MODULES, "test_multiprocessing_fork.test_processes",
                                         "test_multiprocessing_fork.test_misc",
                                         "test_multiprocessing_fork.test_threads",
                                         "test_multiprocessing_fork.test_manager"]]


def cpython_modules(modules, only):
    """Of the tests named, their modules: "test.test_ssl.ContextTests.test_options"; MODULES for some."""
    if only is None:
        return os.environ.get("MODULES", "").split() or modules
    return sorted({name for test in only for name in modules if f".{name}." in f".{test}."})


def cpython_results(report):
    results = {}
    if not os.path.exists(report):
        return results
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        results[case.get("name")] = kinds.pop() if kinds else case.get("result", "passed")
    return results


def cpython(run, only):
    """Debian's libpython3.11-testsuite."""
    report = f"{run.scratch}/junit.xml"
    run(["/usr/bin/python3.11", "-m", "test", *CPYTHON_OPTIONS, f"--junit-xml={report}", "--tempdir",
         run.scratch, *cpython_modules(CPYTHON_311_MODULES, only)], cwd=run.scratch)
    return cpython_results(report)


def cpython_of_trixie(run, only):
    """Debian 13's libpython3.13-testsuite, in a root of it."""
    root = run.root("trixie-python", "trixie", "python3", "libpython3.13-testsuite", "ca-certificates")
    report = f"{run.kept}.xml"
    run.in_root(root, ["python3.13", "-m", "test", *CPYTHON_OPTIONS, f"--junit-xml={report}", "--tempdir",
                       "/tmp", *cpython_modules(CPYTHON_313_MODULES, only)])
    return cpython_results(report)


def ruby_results(text):
    results = {name: "passed" for name in re.findall(r"^\[ *\d+/\d+\] (\S+#\S+) = ", text, re.M)}
    for kind, name in re.findall(r"^ +\d+\) (\w+):\n(\S+?)(?: \[|:| )", text, re.M):
        results[name] = kind.lower()
    return results


def ruby(run, only):
    """Ruby's own tests of openssl, sockets and the protocols above; all of them each time."""
    tree = run.source("ruby3.1")
    files = [f"{tree}/test/{name}" for name in ("openssl", "socket", "net/http", "net/protocol")]
    return ruby_results(run(["ruby", "-Itool/lib", "-Itest", "test/runner.rb", "-v", *files], cwd=tree))


def ruby_mail(run, only):
    """Ruby's tests of net-smtp, net-pop and net-imap, of the last source that has them, against
    the libraries of today's Ruby."""
    tree = run.source("ruby2.7/bullseye")
    files = [f"{tree}/test/net/{name}" for name in ("smtp", "pop", "imap")]
    return ruby_results(run(["ruby", "-Itest/lib", "-Itest", "test/runner.rb", "-v", *files], cwd=tree))


def tap(text, file_line):
    """What prove says of each numbered test of each file."""
    results = {}
    file = ""
    for line in text.splitlines():
        begun = re.match(file_line, line)
        if begun:
            file = begun.group(1)
        tested = re.match(r"^(ok|not ok) (\d+)", line)
        if tested:
            skipped = "skipped" if re.search(r"# skip", line, re.I) else None
            results[f"{file} {tested.group(2)}"] = skipped or tested.group(1)
        outcome = re.match(r"^(skipped: .*|Dubious, .*|Failed .*)", line)
        if outcome:
            results[f"{file}"] = outcome.group(1)
    return results


def perl(run, tree, options, pattern, only):
    files = sorted(os.path.relpath(file, tree) for file in glob.glob(f"{tree}/{pattern}"))
    if only is not None:
        files = [file for file in files if file in {test.split()[0] for test in only}]
    return tap(run(["prove", "-v", *options, *files], cwd=tree), r"^(t/\S+?)\s*\.{2,}")


def io_socket_ssl(run, only):
    """Perl's IO::Socket::SSL."""
    tree = run.copy_of(run.source("libio-socket-ssl-perl"), "t", "lib")
    return perl(run, tree, ["-l"], "t/*.t", only)


def net_ssleay(run, only):
    """Perl's Net::SSLeay, its local tests, with the module that is installed."""
    tree = run.copy_of(run.source("libnet-ssleay-perl"), "t", "inc")
    return perl(run, tree, ["-Iinc"], "t/local/*.t", only)


def libnet(run, only):
    """Perl's libnet: SMTP, POP3, NNTP and FTP in the clear, by TLS and by STARTTLS."""
    tree = run.copy_of(run.source("perl") + "/cpan/libnet", "t")
    return perl(run, tree, [], "t/*.t", only)


def php(run, only):
    """PHP's tests of openssl, curl, sockets, ftp and streams, by its own run-tests.php."""
    parts = [f"ext/{name}/tests" for name in ("openssl", "curl", "sockets", "ftp")]
    parts += [f"ext/standard/tests/{name}" for name in ("streams", "network", "http", "mail", "file")]
    tree = run.copy_of(run.source("php8.2"), "run-tests.php", "sapi/cli/tests", *parts)
    program = shutil.which("php")
    wanted = [part for part in parts if not part.endswith("/file")] if only is None else sorted(only)
    text = run([program, "-n", "run-tests.php", "-n", "-q", "-j2", "-p", program, "--no-color",
                *[f"-dextension={name}" for name in ("curl", "sockets", "ftp", "posix")],
                *wanted], cwd=tree,
               environment={"NO_INTERACTION": "1", "SKIP_ONLINE_TESTS": "1",
                            "TEST_PHP_EXECUTABLE": program})
    found = re.findall(r"^(PASS|FAIL|SKIP|BORK|WARN|LEAK|XFAIL|XLEAK) .*?\[(\S+?\.phpt)\]",
                       text.replace("\r", "\n"), re.M)
    return {name: outcome for outcome, name in found}


# Each file is a program; each slot has a folder of its own.
NODE_SCRIPT = '''printf "%s\\n" "$@" | xargs -P 2 -I{} --process-slot-var=TEST_THREAD_ID sh -c '
    timeout -s KILL 120 "$0" $(sed -n "s,^// Flags: ,,p" "$1") "$1" </dev/null >"$NODE_TEST_DIR/out.$TEST_THREAD_ID" 2>&1
    status=$?
    grep -m 1 "^1\\.\\.0 # Skipped" "$NODE_TEST_DIR/out.$TEST_THREAD_ID" >/dev/null && status=skipped
    [ "$status" = 0 ] || cat "$NODE_TEST_DIR/out.$TEST_THREAD_ID"
    echo "RESULT $status $1"' "$NODE" {}'''


def node(run, only):
    """Node's tests of tls, net, https and http with Debian's Node, each file a program."""
    tree = run.source("nodejs")
    debian = f"{run.build}/debian/usr"
    files = [os.path.relpath(file, tree) for name in ("tls", "net", "https", "http")
             for file in sorted(glob.glob(f"{tree}/test/*/test-{name}-*.js"))
             if only is None or os.path.relpath(file, tree) in only]
    files = [file for file in files if file.startswith(("test/parallel/", "test/sequential/"))]
    text = run(["sh", "-c", NODE_SCRIPT, "sh", *files], cwd=tree,
               environment={"NODE_TEST_DIR": run.scratch, "NODE": f"{debian}/bin/node",
                            "LD_LIBRARY_PATH": f"{debian}/lib/x86_64-linux-gnu"})
    return {name: status for status, name in re.findall(r"^RESULT (\w+) (\S+)", text, re.M)}


def recipes(run, only, names):
    """OpenSSL's recipes of those names, and each test within them."""
    tree = run.source("openssl")
    wanted = names if only is None else sorted({test.split()[0] for test in only})
    text = run(["perl", "test/run_tests.pl", *wanted], cwd=tree,
               environment={"SRCTOP": tree, "BLDTOP": tree, "RESULT_D": run.scratch, "PERL": "perl",
                            "EXE_EXT": "", "HARNESS_VERBOSE": "yes"})
    results = {}
    recipe = ""
    seen = {}
    for line in text.splitlines():
        begun = re.match(r"^\d\d-(test_\w+)\.t \.*", line)
        if begun:
            recipe = begun.group(1)
        tested = re.match(r"^( *)(ok|not ok) (\d+)", line)
        if tested:
            name = f"{recipe} {len(tested.group(1)) // 4}.{tested.group(3)}"
            seen[name] = seen.get(name, 0) + 1
            skipped = "skipped" if re.search(r"# skip", line, re.I) else None
            results[f"{name} #{seen[name]}"] = skipped or tested.group(2)
    return results


def openssl(run, only):
    """OpenSSL's own programs that test TLS, with Debian's libraries."""
    run.built("openssl", "build-openssl")
    names = """sslapi fatalerr tls13ccs dane verify_extra bad_dtls async asyncio dtlsv1listen ct threads
        cipherlist ciphername bio_callback bio_readbuffer bio_memleak dtls dtls_mtu sslcorrupt recordlen http
        servername sslbuffers sysdefault err ssl_ctx ssl_test_ctx clienthello""".split()
    return recipes(run, only, [f"test_{name}" for name in names])


def openssl_sessions(run, only):
    """The sessions between OpenSSL's client and server, by their tables of settings."""
    run.built("openssl", "build-openssl")
    return recipes(run, only, ["test_ssl_new", "test_ssl_old"])


def openssl_proxy(run, only):
    """OpenSSL's tests with a proxy in between that changes messages: three processes each."""
    run.built("openssl", "build-openssl")
    names = """sslcbcpadding sslcertstatus sslextension sslmessages sslrecords sslsessiontick sslsigalgs
        sslsignature sslskewith0p sslversions sslvertol tls13alerts tls13cookie tls13downgrade tls13hrr
        tls13kexmodes tls13messages tls13psk""".split()
    return recipes(run, only, [f"test_{name}" for name in names])


# Sessions of both ends in one process or in two; what needs a smart card, a file of the tree or an
# hour says so by itself.
GNUTLS_SCRIPT = '''printf "%s\\n" "$@" | xargs -P 2 -I{} sh -c '
    srcdir=$PWD/tests top_builddir=$PWD timeout -s KILL 300 "programs/$0" </dev/null >/dev/null 2>&1
    echo "RESULT $? $0"' {}'''


def gnutls(run, only):
    """GnuTLS's own tests that need no more than its library exports, with Debian's library; each
    is a program."""
    tree = run.built("gnutls28", "build-gnutls")
    names = sorted(name for name in os.listdir(f"{tree}/programs") if not name.endswith(".o"))
    text = run(["sh", "-c", GNUTLS_SCRIPT, "sh", *(names if only is None else sorted(only))], cwd=tree)
    return {name: "skipped" if status == "77" else status
            for status, name in re.findall(r"^RESULT (\d+) (\S+)", text, re.M)}


def neighbours(run, only):
    """Programs and libraries that a host has beside the recorder (the file of that name): by
    LD_PRELOAD, and once more in every process by /etc/ld.so.preload."""
    root = run.root("neighbours", "bookworm", *NEIGHBOURS_PACKAGES)
    results = {}
    for way in ("environment", "system"):
        wanted = "|".join(name.rpartition(", by ")[0] for name in only or () if name.endswith(f", by {way}"))
        if only is None or wanted:
            text = run.in_root(root, ["env", f"ONLY={wanted}", "tests/transparency/neighbours", run.build, way,
                                      *run.given()], preloaded=False)
            for name, outcome in re.findall(r"^ROW (.*) \| (.*)$", text, re.M):
                results[f"{name}, by {way}"] = outcome
    return results


NEIGHBOURS_PACKAGES = """python3 perl openssl libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 faketime fakeroot
    eatmydata libsocket-wrapper torsocks valgrind gdb strace ltrace bubblewrap man-db git openssh-client
    openssh-server sudo cron gcc g++ libc6-dev clang golang-go rustc default-jdk-headless chromium firefox-esr
    ca-certificates iproute2 php-cli msmtp curl nodejs ruby libio-socket-ssl-perl libcurl4 libpsl5 libc-ares2
    libunbound8 libelf1 libjansson4 procps""".split()

# What the suites call a test that passed.
PASSED = {"passed", "ok", "PASS", "0", "completed"}

SUITES = {"CPython": cpython, "CPython-3.13": cpython_of_trixie, "Ruby": ruby, "Ruby-mail": ruby_mail,
          "IO::Socket::SSL": io_socket_ssl, "Net::SSLeay": net_ssleay, "libnet": libnet, "PHP": php,
          "Node": node, "OpenSSL": openssl, "OpenSSL-sessions": openssl_sessions,
          "OpenSSL-proxy": openssl_proxy, "GnuTLS": gnutls, "neighbours": neighbours}
