from django.core.mail import send_mail
from django.http import HttpResponse
from django.urls import path


def order(request):
    send_mail("An order", "Thank you.", "shop@example.org", ["b@example.org"])
    return HttpResponse("sent\n")


urlpatterns = [path("order", order)]
