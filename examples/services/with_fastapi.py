"""A shop's sign-up, with FastAPI: the person's data never lies in the shop's own database."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from upheld.client import Client, Refused


def service(upheld: Client) -> FastAPI:
    app = FastAPI()
    app.exception_handler(Refused)(lambda _, refusal: JSONResponse({"reasons": refusal.reasons}, 403))

    @app.post("/members")
    def join(form: dict[str, str]) -> str:
        upheld.begin(person := upheld.enter("member"), "membership")
        upheld.collect(person, "service", form, channel="website")
        return person

    app.get("/members/{person}/phone")(lambda person: upheld.read(person, "offers", "phone").text("phone"))
    return app
