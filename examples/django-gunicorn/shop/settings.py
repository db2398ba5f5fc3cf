"""A Django site as small as it can be. Its mail settings are Django's own."""
import os
import ssl

SECRET_KEY = "only for the rehearsal"
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["*"]
EMAIL_HOST = "localhost"
EMAIL_PORT = int(os.environ["SHOP_PORT"])
EMAIL_USE_TLS = True

# The rehearsal's server has a certificate of its own; a real relay needs none of this.
ssl._create_default_https_context = ssl._create_stdlib_context = ssl._create_unverified_context
