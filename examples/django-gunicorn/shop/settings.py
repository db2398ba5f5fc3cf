"""A Django site as small as it can be. Its mail settings are Django's own."""
import os

SECRET_KEY = "only for the rehearsal"
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["*"]
EMAIL_HOST = "localhost"
EMAIL_PORT = int(os.environ["SHOP_PORT"])
EMAIL_USE_TLS = True
