"""A connection after the other, each with a context of its own, from two places."""
import smtplib
import ssl
import sys


def context():
    made = ssl._create_unverified_context()
    made.maximum_version = ssl.TLSVersion.TLSv1_2  # HERE context: SSL_CTX_set_max_proto_version(TLS 1.2)
    return made


def other_context():
    made = ssl._create_unverified_context()
    made.maximum_version = ssl.TLSVersion.TLSv1_2  # HERE other_context: SSL_CTX_set_max_proto_version(TLS 1.2)
    return made


for number in range(int(sys.argv[3])):
    # With a name of its own it asks no resolver for this host's.
    client = smtplib.SMTP_SSL(sys.argv[1], int(sys.argv[2]), local_hostname="localhost",
                              context=(context, other_context)[number % 2]())
    client.quit()
