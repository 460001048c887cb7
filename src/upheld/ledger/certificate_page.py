"""The certificate of destruction to print: one page, Korean and English beside each other, nothing loaded, no scripts.

The signed document itself lies in the page as a link, so who keeps the page can have it checked.
"""

import base64
from collections.abc import Iterable
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
    ("scrubbed_at", "잔여 바이트 소거", "left-over bytes scrubbed"),
    ("certified_at", "확인 및 증명", "checked and certified"),
)


def page(document: bytes, checked: Checked, zone: ZoneInfo) -> str:
    """The page of a certificate that was checked. `document` is its signed JSON, `zone` that of the policy."""
    certificate = checked.certificate
    title = f"개인정보 파기 증명서 {escape(certificate.certificate_id)}"
    state = next(f"{ko} · {en}" for code, ko, en in _STATES if code == certificate.state)
    return f"""<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style></head><body>
<h1>개인정보 파기 증명서<small lang="en">Certificate of destruction of personal data</small></h1>
<p class="state">{state}</p>
{_section("무엇을", "What", _about(certificate))}
{_section("왜", "Why", _grounds(certificate.grounds, zone))}
{_section("언제", "When", _table(((ko, en), _when(getattr(certificate, name), zone)) for name, ko, en in _STEPS))}
{_section("어떻게", "How", _how(certificate))}
{_section("어디에서", "Where", _places(certificate.places, zone))}
{_section("증명", "Proof", _proof(document, checked))}
</body></html>
"""


def _section(ko: str, en: str, body: str) -> str:
    return f'<h2>{ko} <span lang="en">· {en}</span></h2>\n{body}'


def _table(rows: Iterable[tuple[tuple[str, str], str]]) -> str:
    lines = (f'<tr><th>{ko} <span lang="en">· {en}</span></th><td>{value}</td></tr>' for (ko, en), value in rows)
    return f"<table>{''.join(lines)}</table>"


def _named(named: Named) -> str:
    ko, en = escape(named.ko), escape(named.en)
    return ko if ko == en else f'{ko} <span lang="en">· {en}</span>'


def _when(at: int | None, zone: ZoneInfo) -> str:
    if at is None:
        return '대기 중 <span lang="en">· awaited</span>'
    local = (_START + timedelta(microseconds=at)).astimezone(zone)
    return f'<time datetime="{local.isoformat()}">{local:%Y-%m-%d %H:%M:%S}</time> {escape(str(zone))}'


def _about(certificate: Certificate) -> str:
    return _table(
        [
            (("증명서 번호", "certificate"), f"<code>{escape(certificate.certificate_id)}</code>"),
            (("개인정보처리자", "controller"), _named(certificate.controller)),
            (("처리방침", "policy"), _named(certificate.policy)),
            (("가명", "pseudonym"), f"<code>{escape(certificate.pseudonym)}</code>"),
            (("항목", "items"), "<br>".join(_named(item) for item in certificate.items)),
            (("건수", "how many values"), str(certificate.value_count)),
        ]
    )


def _grounds(grounds: Iterable[Ground], zone: ZoneInfo) -> str:
    rows = "".join(
        f"<tr><td>{_named(each.ground)}</td><td>{_when(each.ended_at, zone)}</td>"
        f"<td>{escape(', '.join(each.clauses)) or '-'}</td></tr>"
        for each in grounds
    )
    head = "<th>보유 근거 · ground</th><th>종료 · ended</th><th>조항 · clauses</th>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _how(certificate: Certificate) -> str:
    approved = "해당 없음 · not asked for" if certificate.approved_by is None else escape(certificate.approved_by)
    return _table(
        [
            (("방법", "method"), _named(certificate.method)),
            (("승인", "approved by"), approved),
            (("확인 결과", "result of the check"), _named(certificate.check)),
            (("복구 불가 시점", "beyond recovery from"), escape(certificate.beyond_recovery_on)),
        ]
    )


def _places(places: Iterable[PlaceCleared], zone: ZoneInfo) -> str:
    rows = "".join(
        f"<tr><td>{_named(each.place)}</td><td>{_named(each.method)}</td><td>{_when(each.at, zone)}</td>"
        f"<td>{escape(each.by)}</td><td>{escape(each.witness or '-')}</td></tr>"
        for each in places
    )
    head = "<th>장소 · place</th><th>방법 · method</th><th>일시 · when</th><th>담당 · by</th><th>입회 · witness</th>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _proof(document: bytes, checked: Checked) -> str:
    name = f"certificate-{escape(checked.certificate.certificate_id)}.json"
    link = f"data:application/json;base64,{base64.b64encode(document).decode()}"
    reference = f"<code>{escape(checked.proof.reference)}</code>"
    return f"""<p>이 파기는 원장의 {reference} 기록으로 남아 있으며, 아래 서명된 체크포인트가 그 원장을 고정합니다.
<span lang="en">The destruction is entry {reference} of the ledger that the signed checkpoint below fixes.</span></p>
<pre>{escape(checked.proof.checkpoint)}</pre>
<p><a download="{name}" href="{link}">서명된 원본 (JSON) · the signed document</a></p>"""
