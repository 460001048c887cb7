"""The web service: notices for everybody, the portal for a person, the console for staff. Pages are made on the server.

How to add a page stands in `docs/web.md`: a function, a template, a row in `upheld.web.routes`.
"""
