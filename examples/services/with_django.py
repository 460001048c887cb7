"""A shop's sign-up, with Django: the person's data never lies in the shop's own database."""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import path

from upheld.client import Client, Refused


def views(upheld: Client) -> list[object]:
    def join(request: HttpRequest) -> JsonResponse:
        upheld.begin(person := upheld.enter("member"), "membership")
        upheld.collect(person, "service", json.loads(request.body), channel="website")
        return JsonResponse({"person": person})

    def phone(_: HttpRequest, person: str) -> JsonResponse:
        try:
            return JsonResponse({"phone": upheld.read(person, "offers", "phone").text("phone")})
        except Refused as refusal:
            return JsonResponse({"reasons": refusal.reasons}, status=403)

    return [path("members", join), path("members/<person>/phone", phone)]
