"""The certificate of destruction to print: one page, Korean and English beside each other (English alone where
the policy has no Korean), nothing loaded, no scripts.

The signed document itself lies in the page as a link, so who keeps the page can have it checked.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from upheld.ledger.certificate import Certificate, Checked, Ground, Named, PlaceCleared

_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STYLE: Final = """
@page { size: A4; margin: 18mm }
body { font: 10.5pt/1.5 "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", sans-serif; color: #1a1a1a;
       max-width: 52rem; margin: 2rem auto; padding: 0 1rem; word-break: keep-all; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; margin: 0 } h1 small { display: block; font-size: 1rem; font-weight: normal; color: #444 }
h2 { font-size: 1rem; border-bottom: 1px solid #888; margin: 1.4rem 0 .4rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0 }
th { font-weight: normal; color: #444; width: 38% } thead th { width: auto; border-bottom: 1px solid #bbb }
.state { border: 2px solid #1a1a1a; padding: .3rem .8rem; display: inline-block; margin: .8rem 0; font-weight: bold }
pre, code { font: 8.5pt/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
a { color: inherit }
@media screen and (max-width: 40rem) {
  thead { display: none } tr, th, td { display: block; width: auto; padding: 0 }
  tr { border-bottom: 1px solid #ccc; padding: .3rem 0 }
}
"""
_STATES: Final = (
    ("complete", "파기 완료: 모든 보관 장소의 증빙 있음", "complete: every place has its evidence"),
    ("partly", "일부 파기: 아래 장소의 증빙 대기 중", "partly: evidence of a place below is awaited"),
)
_STEPS: Final = (
    ("due_at", "파기 사유 발생", "fell due"),
    ("ordered_at", "파기 명령", "destruction ordered"),
    ("unreadable_at", "키 파기 (복호 불가)", "key destroyed: unreadable from here on"),
    ("removed_at", "모든 장소에서 삭제", "removed from every place"),
    ("scrubbed_at", "잔여 데이터 정리 (방법 참조)", "cleared of what was left: see the method"),
    ("certified_at", "확인 및 증명", "checked and certified"),
)


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page is set by: the zone of the policy, and whether it speaks Korean; else English stands alone."""

    zone: ZoneInfo
    korean: bool

    def both(self, ko: str, en: str) -> str:
        """Korean with English beside it; once where they are the same."""
        if not self.korean or ko == en:
            return en
        return f'{ko} <span lang="en">· {en}</span>'

    def section(self, ko: str, en: str, body: str) -> str:
        return f"<h2>{self.both(ko, en)}</h2>\n{body}"

    def table(self, rows: Iterable[tuple[tuple[str, str], str]]) -> str:
        lines = (f"<tr><th>{self.both(*head)}</th><td>{value}</td></tr>" for head, value in rows)
        return f"<table>{''.join(lines)}</table>"

    def heads(self, *heads: tuple[str, str]) -> str:
        return "".join(f"<th>{f'{ko} · {en}' if self.korean else en}</th>" for ko, en in heads)

    def named(self, named: Named) -> str:
        return self.both(escape(named.ko), escape(named.en))

    def when(self, at: int | None) -> str:
        if at is None:
            return self.both("대기 중", "awaited")
        local = (_START + timedelta(microseconds=at)).astimezone(self.zone)
        return f'<time datetime="{local.isoformat()}">{local:%Y-%m-%d %H:%M:%S}</time> {escape(str(self.zone))}'


def page(document: bytes, checked: Checked, zone: ZoneInfo, *, korean: bool = True) -> str:
    """The page of a certificate that was checked. `document` is its signed JSON, `zone` that of the policy; `korean`:
    whether the policy speaks Korean.
    """
    certificate, to = checked.certificate, _Page(zone, korean)
    title = f"{'개인정보 파기 증명서' if korean else 'Certificate of destruction'} {escape(certificate.certificate_id)}"
    state = next(f"{ko} · {en}" if korean else en for code, ko, en in _STATES if code == certificate.state)
    head = "Certificate of destruction of personal data"
    steps = to.table(((ko, en), to.when(getattr(certificate, name))) for name, ko, en in _STEPS)
    return f"""<!doctype html>
<html lang="{"ko" if korean else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style></head><body>
<h1>{f'개인정보 파기 증명서<small lang="en">{head}</small>' if korean else head}</h1>
<p class="state">{state}</p>
{to.section("무엇을", "What", _about(to, certificate))}
{to.section("왜", "Why", _grounds(to, certificate.grounds))}
{to.section("언제", "When", steps)}
{to.section("어떻게", "How", _how(to, certificate))}
{to.section("어디에서", "Where", _places(to, certificate.places))}
{to.section("증명", "Proof", _proof(to, document, checked))}
</body></html>
"""


def _about(to: _Page, certificate: Certificate) -> str:
    return to.table(
        [
            (("증명서 번호", "certificate"), f"<code>{escape(certificate.certificate_id)}</code>"),
            (("개인정보처리자", "controller"), to.named(certificate.controller)),
            (("처리방침", "policy"), to.named(certificate.policy)),
            (("가명", "pseudonym"), f"<code>{escape(certificate.pseudonym)}</code>"),
            (("항목", "items"), "<br>".join(to.named(item) for item in certificate.items)),
            (("건수", "how many values"), str(certificate.value_count)),
        ]
    )


def _grounds(to: _Page, grounds: Iterable[Ground]) -> str:
    rows = "".join(
        f"<tr><td>{to.named(each.ground)}</td><td>{to.when(each.ended_at)}</td>"
        f"<td>{escape(', '.join(each.clauses)) or '-'}</td></tr>"
        for each in grounds
    )
    head = to.heads(("보유 근거", "ground"), ("종료", "ended"), ("조항", "clauses"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _how(to: _Page, certificate: Certificate) -> str:
    none = "해당 없음 · not asked for" if to.korean else "not asked for"
    approved = none if certificate.approved_by is None else escape(certificate.approved_by)
    return to.table(
        [
            (("방법", "method"), to.named(certificate.method)),
            (("승인", "approved by"), approved),
            (("확인 결과", "result of the check"), to.named(certificate.check)),
            (("복구 불가 시점", "beyond recovery from"), escape(certificate.beyond_recovery_on)),
        ]
    )


def _places(to: _Page, places: Iterable[PlaceCleared]) -> str:
    rows = "".join(
        f"<tr><td>{to.named(each.place)}</td><td>{to.named(each.method)}</td><td>{to.when(each.at)}</td>"
        f"<td>{escape(each.by)}</td><td>{escape(each.witness or '-')}</td></tr>"
        for each in places
    )
    head = to.heads(("장소", "place"), ("방법", "method"), ("일시", "when"), ("담당", "by"), ("입회", "witness"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _proof(to: _Page, document: bytes, checked: Checked) -> str:
    name = f"certificate-{escape(checked.certificate.certificate_id)}.json"
    link = f"data:application/json;base64,{base64.b64encode(document).decode()}"
    reference = f"<code>{escape(checked.proof.reference)}</code>"
    ko = f"이 파기는 원장의 {reference} 기록으로 남아 있으며, 아래 서명된 체크포인트가 그 원장을 고정합니다.\n"
    en = f"The destruction is entry {reference} of the ledger that the signed checkpoint below fixes."
    said = f'{ko}<span lang="en">{en}</span>' if to.korean else en
    signed = "서명된 원본 (JSON) · the signed document" if to.korean else "the signed document (JSON)"
    return f"""<p>{said}</p>
<pre>{escape(checked.proof.checkpoint)}</pre>
<p><a download="{name}" href="{link}">{signed}</a></p>"""
