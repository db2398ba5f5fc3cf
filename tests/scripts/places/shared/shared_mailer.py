"""What several scripts send with; it sets nothing itself."""
import smtplib


def deliver(host, port, context):
    with smtplib.SMTP(host, port) as smtp:
        smtp.starttls(context=context)  # here the connection is made
        smtp.sendmail("a@example.com", "b@example.com", "Subject: x\r\n\r\nx\r\n")
