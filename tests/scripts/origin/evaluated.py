"""Evaluated code has no file: the place is where it was evaluated."""
import smtplib
import ssl
import sys


def run_rule(rule, client, context):
    exec(rule)  # HERE run_rule


connection = smtplib.SMTP(sys.argv[1], int(sys.argv[2]))
run_rule("client.starttls(context=context)", connection, ssl._create_unverified_context())
connection.quit()
