"""What the ledger says in codes, in plain words: kinds of entries, names of fields, the closed lists in them.

`word("notice.moved", "state", "bounced")` gives both languages; None for a code of no closed list, which a document
may name (an item, a recipient) or nobody does. The ledger itself keeps the codes; whoever audits sees them beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from upheld.desk.documents import Document
from upheld.engine.duties import DUTIES
from upheld.policy.explain_words import REFUSALS
from upheld.policy.plain import fixed_row
from upheld.policy.wording import Words

Table = Mapping[str, Words]


def _table(**words: Words) -> Table:
    return MappingProxyType({code.replace("_", "-"): text for code, text in words.items()})


KINDS: Final[Table] = MappingProxyType(
    {
        "subject.entered": Words("person entered", "정보주체 등록"),
        "engagement.begun": Words("relation begun", "이용 관계 시작"),
        "engagement.ended": Words("relation ended", "이용 관계 종료"),
        "fact.recorded": Words("fact recorded", "사실 기록"),
        "consent.given": Words("agreed", "동의"),
        "consent.withdrawn": Words("consent taken back", "동의 철회"),
        "notice.shown": Words("notice shown", "고지 표시"),
        "value.collected": Words("collected", "수집"),
        "value.copied": Words("copied to another place", "다른 장소에 복사"),
        "value.reused": Words("used for a further purpose", "다른 목적에 이용"),
        "value.corrected": Words("corrected", "정정"),
        "value.provided": Words("provided", "제3자 제공"),
        "value.disclosed": Words("disclosed under an exception", "예외 제공"),
        "value.entrusted": Words("entrusted to a processor", "처리 위탁"),
        "act.refused": Words("act refused", "처리 거절"),
        "transfer.recorded": Words("transferred abroad", "국외 이전"),
        "advert.sent": Words("advertisement sent", "광고성 정보 전송"),
        "request.received": Words("request received", "요구 접수"),
        "request.proved": Words("identity proved", "본인 확인"),
        "request.incomplete": Words("to be completed", "보완 요청"),
        "request.postponed": Words("request postponed", "처리 연기"),
        "request.extended": Words("deadline extended", "처리 기한 연장"),
        "request.passed": Words("request passed on", "요구 이송"),
        "request.answered": Words("request answered", "처리 결과 통지"),
        "acting.granted": Words("somebody may act for the person", "대리 권한 등록"),
        "acting.ended": Words("acting for the person ended", "대리 권한 종료"),
        "hold.set": Words("use stopped for a request", "이용 중지 시작"),
        "hold.lifted": Words("use goes on", "이용 중지 해제"),
        "review.due": Words("review became due", "검토 예정"),
        "review.done": Words("review done", "검토 완료"),
        "separation.opened": Words("separation begun", "분리 보관 시작"),
        "value.separated": Words("kept apart", "분리 보관"),
        "destruction.ordered": Words("destruction ordered", "파기 결정"),
        "key.destroyed": Words("key destroyed", "암호키 폐기"),
        "key.swapped": Words("key replaced", "암호키 교체"),
        "copy.held": Words("copy held back", "사본 보류"),
        "copy.removed": Words("copy removed", "사본 삭제"),
        "value.destroyed": Words("destroyed", "파기"),
        "value.lost": Words("lost", "멸실"),
        "certificate.issued": Words("certificate issued", "파기 증명서 발급"),
        "recipient.told": Words("recipient told", "제공받은 자에게 통보"),
        "recipient.acknowledged": Words("recipient's answer shown", "제공받은 자의 이행 확인"),
        "work-order.opened": Words("order to destroy by hand", "직접 파기 지시"),
        "work-order.done": Words("destroyed by hand", "직접 파기"),
        "exception.late": Words("known too late to act on", "뒤늦게 알게 된 사실"),
        "subject.forgotten": Words("nothing of the person is left", "정보주체 기록 전부 파기"),
        "policy.published": Words("policy published", "처리방침 공개"),
        "control.evidenced": Words("evidence of a safeguard filed", "보호조치 증빙 제출"),
        "contract.recorded": Words("contract recorded", "계약 체결"),
        "contract.ended": Words("contract ended", "계약 종료"),
        "handler.granted": Words("access right granted", "접근 권한 부여"),
        "handler.revoked": Words("access right revoked", "접근 권한 말소"),
        "register.entered": Words("entered in the list of a safeguard", "보호조치 대상 등록"),
        "keys.made": Words("keys made", "암호키 생성"),
        "sweep.ran": Words("what was due was done", "기한 도래분 처리"),
        "recovered": Words("recovered after a failure", "장애 복구"),
        "input.rejected": Words("unusable input turned away", "입력 거부"),
        "clock.stopped": Words("clock went wrong", "시계 이상"),
        "access.pruned": Words("old access records destroyed", "보존 기간이 지난 접속기록 파기"),
        "policy.drafted": Words("policy drafted", "처리방침 초안 작성"),
        "notice.kept": Words("printed policy kept", "처리방침 게시본 보관"),
        "publication.refused": Words("publication refused", "처리방침 공개 거절"),
        "publication.finding": Words("finding on a publication", "처리방침 공개 점검 결과"),
        "rehearsal.ran": Words("policy tried out", "처리방침 모의 실행"),
        "rehearsal.cleared": Words("trial run cleared away", "모의 실행 정리"),
        "paper.filed": Words("document filed", "문서 보관"),
        "paper.condemned": Words("document to be destroyed", "문서 파기 결정"),
        "paper.unreadable": Words("document made unreadable", "문서 열람 불가 처리"),
        "paper.destroyed": Words("document destroyed", "문서 파기"),
        "paper.lost": Words("document lost", "문서 멸실"),
        "notice.queued": Words("message put into the outbox", "통지 발송 대기"),
        "notice.moved": Words("message moved on", "통지 발송 처리"),
        "notice.posted": Words("notice posted", "통지 게시"),
        "notice.taken-down": Words("posted notice taken down", "통지 게시 종료"),
        "merger.opened": Words("merger or transfer opened", "영업 양도·합병 절차 시작"),
        "merger.closed": Words("merger or transfer closed", "영업 양도·합병 절차 종료"),
        "handover.refused": Words("person refused the handing over", "이전 거부"),
        "handover.begun": Words("handing over begun", "이전 시작"),
        "handover.done": Words("handed over", "이전 완료"),
        "duty.done": Words("duty done", "의무 이행"),
        "house.counted": Words("figure of the house recorded", "규모 기록"),
        "breach.known": Words("leak became known", "유출 인지"),
        "breach.moved": Words("step on a leak taken", "유출 대응 조치"),
        "application.opened": Words("program admitted", "연동 프로그램 등록"),
        "application.rotated": Words("program's key replaced", "연동 프로그램 인증키 교체"),
        "application.closed": Words("program shut out", "연동 프로그램 해지"),
        "keys.rotated": Words("keys of the house replaced", "시스템 암호키 교체"),
        "identity.bound": Words("account bound to the house's sign-in", "통합 로그인 계정 연결"),
        "invitation.made": Words("link for agreeing made", "동의 요청 링크 발급"),
        "approval.given": Words("second person approved", "2인 승인"),
        "clock.confirmed": Words("clock said to be right", "시계 정상 확인"),
        "read.granted": Words("read", "열람·이용"),
        "read.refused": Words("reading refused", "열람·이용 거절"),
        "read.fell-short": Words("reading gave less than asked", "일부만 열람"),
        "values.shown": Words("shown to the person", "본인에게 표시"),
        "lookup.made": Words("person looked up", "정보주체 조회"),
        "paper.seen": Words("document looked at", "문서 열람"),
        "address.read": Words("address read for a message", "발송용 연락처 조회"),
        "cookie.chosen": Words("cookies chosen", "쿠키 선택"),
        "staff.signed-in": Words("staff signed in", "담당자 로그인"),
        "sign-in.failed": Words("sign-in failed", "로그인 실패"),
        "inspection.opened": Words("inspection of data opened", "자료 점검 시작"),
        "inspection.closed": Words("inspection of data closed", "자료 점검 종료"),
    }
)
"""Each kind of entry."""

FIELDS: Final[Table] = _table(
    about=Words("about", "대상"),
    about_kind=Words("sort of matter", "대상 구분"),
    account=Words("account", "계정"),
    act=Words("act", "행위"),
    acting=Words("who acts for the person", "대리인"),
    after=Words("key afterwards", "교체 후 암호키"),
    allowed=Words("allowed", "허용"),
    announced_at=Words("announced", "공고일"),
    answered_by=Words("answered by", "답변한 취급자"),
    application=Words("program", "연동 프로그램"),
    approval=Words("approval", "승인"),
    approver=Words("approved by", "승인자"),
    area=Words("where", "화면"),
    article=Words("article of law", "법 조항"),
    at=Words("when it happened", "발생 시각"),
    attempt=Words("attempt", "시도 횟수"),
    basis=Words("basis", "근거"),
    before=Words("before", "이전"),
    begun_at=Words("begun", "시작일"),
    by=Words("by whom", "처리자"),
    capacity=Words("on whose behalf", "처리 지위"),
    case=Words("case", "사건"),
    cause=Words("cause", "원인"),
    certificate=Words("certificate", "증명서"),
    channel=Words("channel", "방법"),
    choice=Words("choice", "선택"),
    claimed=Words("instant claimed", "표시된 시각"),
    code=Words("reason for turning away", "거부 사유"),
    consent=Words("consent", "동의"),
    contract=Words("contract", "계약"),
    control=Words("safeguard", "보호조치"),
    count=Words("how many", "건수"),
    counts=Words("figures", "집계"),
    country=Words("country", "국가"),
    decided_by=Words("what set the time ahead", "공고 기간의 근거"),
    difficulty=Words("why consent could not be had", "동의를 받기 어려운 사유"),
    digest=Words("digest", "해시값"),
    disclosure=Words("handing out", "제공 번호"),
    disputed=Words("in dispute", "다툼 있음"),
    due_at=Words("due", "기한"),
    duties=Words("duties", "담당 업무"),
    duty=Words("duty", "담당 업무·의무"),
    effective_at=Words("in force from", "시행일"),
    ended=Words("ended", "종료"),
    ends=Words("what they have with us ends", "이용 관계 종료"),
    ends_here=Words("relations end here", "이용 관계 종료 여부"),
    engagement=Words("relation", "이용 관계"),
    evidence=Words("evidence", "증빙"),
    exception=Words("exception to consent", "동의 예외"),
    extended=Words("how often extended", "연장 횟수"),
    fact=Words("fact", "사실"),
    failed=Words("what failed", "실패한 항목"),
    figure=Words("figure", "규모 구분"),
    finding=Words("finding", "점검 결과"),
    findings=Words("findings", "지적 사항"),
    first=Words("first batch", "첫 묶음"),
    first_night=Words("what the first night does", "시행 첫날 처리 예정"),
    for_child=Words("for a child", "아동을 위한 요구"),
    form=Words("form", "형식"),
    found=Words("how many were found", "조회 결과 수"),
    freezes=Words("use stops meanwhile", "처리 중 이용 중지"),
    from_at=Words("from", "시작 시각"),
    gaps=Words("published over", "미비 사항"),
    gate=Words("how it was let through", "공개 절차 결과"),
    generation=Words("generation", "세대"),
    grounds=Words("grounds for keeping", "보유 근거"),
    handler=Words("handler", "취급자"),
    hold=Words("hold", "중지 구분"),
    id=Words("number", "번호"),
    incident=Words("incident", "장애"),
    inspection=Words("inspection", "점검"),
    item=Words("item", "항목"),
    items=Words("items", "항목"),
    key=Words("key of the delivery", "수신 건 식별값"),
    kind=Words("sort", "구분"),
    kinds=Words("sorts of persons", "정보주체 구분"),
    known_at=Words("known", "알게 된 시각"),
    last=Words("last batch", "마지막 묶음"),
    law=Words("law", "근거 법률"),
    left=Words("left", "제외"),
    link=Words("link", "링크"),
    locale=Words("language", "언어"),
    made=Words("how many were made", "생성 수"),
    medium=Words("medium", "전송 매체"),
    message=Words("message", "발송 번호"),
    method=Words("how", "방법"),
    minor=Words("under age", "미성년 여부"),
    missing=Words("what is missing", "부족한 것"),
    name=Words("name", "이름"),
    named=Words("which one", "대상"),
    new=Words("new value", "새 값 번호"),
    notice=Words("notice", "통지"),
    number=Words("number of persons", "인원"),
    objection=Words("how to object", "이의 제기 방법"),
    objects_to=Words("objects to", "이의 대상"),
    old=Words("old value", "이전 값 번호"),
    order=Words("work order", "작업 지시"),
    ordered_at=Words("ordered", "결정 시각"),
    organisation=Words("organisation", "소속 기관"),
    origin=Words("where from", "접속지"),
    outcome=Words("outcome", "결과"),
    paper=Words("document", "문서"),
    papers=Words("documents", "문서"),
    party=Words("party", "업체"),
    place=Words("place", "장소"),
    posting=Words("posting", "게시 번호"),
    printed=Words("newspaper", "신문"),
    processor=Words("processor", "수탁자"),
    proof=Words("proof", "확인 방법"),
    proofs=Words("proofs", "확인 서류"),
    proved_at=Words("proved", "본인 확인 시각"),
    provider=Words("provider of the sign-in", "로그인 제공자"),
    purpose=Words("purpose", "목적"),
    purposes=Words("purposes", "목적"),
    reached=Words("instant reached before", "도달했던 시각"),
    reader=Words("who read", "열람자 구분"),
    reader_id=Words("reader", "열람자"),
    reason=Words("reason", "사유"),
    reasons=Words("reasons", "사유"),
    recipient=Words("recipient", "제공받는 자"),
    reconfirmed_at=Words("confirmed again", "재확인 시각"),
    refused_means=Words("what refusing brings about", "거부 시 처리"),
    region=Words("region", "지역"),
    register=Words("list", "명부"),
    remedies=Words("who else helps", "구제 기관"),
    request=Words("request", "요구 번호"),
    right=Words("right", "요구 내용"),
    rights=Words("rights", "권리"),
    rule=Words("rule", "규칙"),
    scrubbed_at=Words("overwritten", "덮어쓴 시각"),
    since=Words("since", "기준일"),
    source=Words("source", "출처"),
    speaker=Words("who agrees", "동의할 사람"),
    state=Words("state", "상태"),
    step=Words("step", "단계"),
    stopped=Words("stopped", "중지"),
    store=Words("store", "저장소"),
    stream=Words("stream of records", "기록 흐름"),
    sub_consent=Words("sub-entrusting was agreed to", "재위탁 동의"),
    suspected=Words("only suspected", "의심 단계"),
    terms=Words("terms of the contract", "계약 조항"),
    text=Words("text shown", "표시한 문구"),
    tier=Words("which store", "보관 구분"),
    to=Words("told in their place", "대신 통지받는 사람"),
    to_refuse=Words("time to refuse", "거부 기간"),
    transferee=Words("who takes over", "이전받는 자"),
    until=Words("until", "기한"),
    use=Words("use", "이용 방법"),
    values=Words("values", "값 번호"),
    verified=Words("how it was verified", "확인 방법"),
    version=Words("version", "판"),
    what=Words("what", "승인 내용"),
    why=Words("why", "사유"),
    witness=Words("witness", "입회자"),
)
"""Each field that entries have; written in the ledger with an underscore where it has two words."""

ACTS: Final[Table] = _table(
    collect=Words("collect", "수집"),
    read=Words("read", "열람·이용"),
    read_separated=Words("read what is kept apart", "분리 보관분 열람"),
    show=Words("show to the person", "본인에게 표시"),
    provide=Words("provide to a third party", "제3자 제공"),
    entrust=Words("entrust", "처리 위탁"),
    disclose=Words("disclose under an exception", "예외 제공"),
    send=Words("advertise", "광고성 정보 전송"),
    acting=Words("act for a person", "대리"),
    grant=Words("grant an access right", "접근 권한 부여"),
    request=Words("ask as a person", "권리 행사"),
)
READERS: Final[Table] = _table(
    handler=Words("handler", "개인정보취급자"),
    application=Words("program", "연동 프로그램"),
    subject=Words("the person", "정보주체 본인"),
    fellow=Words("somebody of the same group", "같은 집단의 구성원"),
)
ABOUT: Final[Table] = _table(
    purpose=Words("purpose", "수집·이용 목적"),
    provision=Words("provision to a third party", "제3자 제공"),
    entrustment=Words("entrustment", "처리 위탁"),
    transfer=Words("transfer abroad", "국외 이전"),
    medium=Words("advertising by a medium", "광고성 정보 수신"),
    night=Words("advertising at night", "야간 광고성 정보 수신"),
    item=Words("one item", "개별 항목"),
    permission=Words("permission of a device", "기기 접근 권한"),
    representative=Words("legal representative", "법정대리인"),
)
SPEAKERS: Final[Table] = _table(
    subject=Words("the person", "정보주체 본인"),
    representative=Words("the legal representative", "법정대리인"),
    agent=Words("an agent", "대리인"),
)
ROLES: Final[Table] = _table(
    privacy_officer=Words("privacy officer", "개인정보 보호책임자"),
    officer=Words("privacy officer", "개인정보 보호책임자"),
    handler=Words("handler", "개인정보취급자"),
    processor=Words("processor", "수탁자"),
    facility=Words("facility staff", "시설 담당자"),
    auditor=Words("auditor", "감사자"),
)
REASONS: Final[Table] = MappingProxyType({code: words for code, (words, _) in REFUSALS.items()})
"""Why an act is refused."""
OUTCOMES: Final[Table] = _table(
    received=Words("received", "접수"),
    to_be_completed=Words("to be completed", "보완 요청"),
    open=Words("open", "진행 중"),
    postponed=Words("postponed", "연기"),
    done=Words("done", "처리 완료"),
    partly=Words("done in part", "일부 처리"),
    refused=Words("refused", "거절"),
    not_identified=Words("not identified", "본인 확인 불가"),
    nothing_held=Words("nothing held", "보유 정보 없음"),
    taken_back=Words("taken back", "철회"),
)
"""How a request stands."""
ANSWERS: Final[Table] = _table(
    law=Words("a law forbids or limits it", "법률에 따라 금지되거나 제한됨"),
    others_harmed=Words("somebody else would be harmed", "다른 사람을 해칠 우려"),
    public_task=Words("a public body could not do its duty", "공공기관의 업무 수행에 중대한 지장"),
    contract=Words("the contract cannot be performed without it", "계약 이행이 곤란함"),
    kept_by_duty=Words("a duty keeps part of it", "보존 의무에 따라 일부를 계속 보존함"),
    unfounded=Words("nothing of the kind is held", "해당하는 정보가 없음"),
    already_right=Words("it is right as it is", "사실과 같음"),
    complicated=Words("the matter is complicated", "사안이 복잡함"),
    many_at_once=Words("very many requests came at once", "요구가 한꺼번에 몰림"),
    waits_for_others=Words("facts are awaited from others", "다른 기관의 확인을 기다림"),
    identity_not_proved=Words("identity could not be shown", "본인 확인 불가"),
    nothing_held=Words("nothing is held", "보유 정보 없음"),
    taken_back=Words("taken back by who asked", "요구자가 철회함"),
)
"""Why a request is refused, done in part, put off or extended."""
RIGHTS: Final[Table] = _table(
    access=Words("access", "열람"),
    rectification=Words("correction", "정정"),
    erasure=Words("erasure", "삭제"),
    suspension=Words("suspension", "처리정지"),
    withdrawal=Words("taking back consent", "동의 철회"),
    portability=Words("transmission", "전송"),
    source=Words("where it came from", "수집 출처 고지"),
    objection=Words("objection", "이의 제기"),
    automated_decision=Words("automated decision", "자동화된 결정에 대한 권리"),
)
NOTICES: Final[Table] = _table(
    advert=Words("advertisement", "광고성 정보"),
    business_transfer=Words("transfer of the business", "영업 양도·합병 통지"),
    breach=Words("leak", "유출 통지"),
    possible_breach=Words("possible leak", "유출 가능성 통지"),
    change=Words("change of the policy", "처리방침 변경 통지"),
    marketing_entrusted=Words("entrusted marketing", "홍보·판매 업무 위탁 통지"),
    source=Words("where the data came from", "수집 출처 통지"),
    yearly_use=Words("yearly notice of use", "이용·제공 내역 통지"),
    outcome=Words("answer to a request", "처리 결과 통지"),
    consent_confirmed=Words("consent to advertising confirmed", "수신 동의 처리 결과 통지"),
    reconfirmation=Words("consent to advertising to be confirmed again", "수신 동의 재확인"),
    grown_up=Words("age of consent reached", "동의 연령 도달 안내"),
    representative_asked=Words("representative asked to agree", "법정대리인 동의 요청"),
)
MESSAGES: Final[Table] = _table(
    queued=Words("waiting", "대기"),
    sending=Words("being sent", "발송 중"),
    uncertain=Words("uncertain", "도달 불명"),
    sent=Words("sent", "발송 완료"),
    acknowledged=Words("arrived", "도달"),
    bounced=Words("returned", "반송"),
    failed=Words("failed", "발송 실패"),
    unreachable=Words("unreachable", "연락 불가"),
    withdrawn=Words("taken out", "발송 취소"),
)
"""What became of a message."""
UNTOLD: Final[Table] = MappingProxyType(
    {
        **_table(
            failed=Words("could not be sent", "발송하지 못함"),
            no_address=Words("no address is held", "연락처 없음"),
            address_destroyed=Words("the address was destroyed", "연락처가 파기됨"),
            address_refused=Words("the address was refused", "수신처에서 거부됨"),
            address_unusable=Words("the address cannot be used", "사용할 수 없는 연락처"),
            returned=Words("it came back", "반송됨"),
            by_hand=Words("told by hand", "직접 통지함"),
            interrupted=Words("the sending broke off", "발송 중단"),
            tried_again=Words("tried again", "재시도"),
            unreachable_without_fault=Words("cannot be reached, through no fault of ours", "과실 없이 연락처를 모름"),
            disaster=Words("posting is hindered", "천재지변 등으로 게시 곤란"),
        ),
        **{code: words for code, (words, _) in REFUSALS.items()},
    }
)
"""Why a message moved, or something stands in for it."""
MEDIA: Final[Table] = _table(
    email=Words("e-mail", "전자우편"),
    sms=Words("text message", "문자"),
    call=Words("telephone", "전화"),
    letter=Words("letter", "서면"),
    in_person=Words("in person", "대면"),
    site=Words("website", "홈페이지"),
    app=Words("app", "앱"),
)
STEPS: Final[Table] = _table(
    confirmed=Words("certain", "유출 확인"),
    refuted=Words("there was none", "유출 아님"),
    drafted=Words("contents written", "통지 내용 작성"),
    told=Words("persons written to", "정보주체 통지"),
    reported=Words("authority told", "기관 신고"),
    supplemented=Words("supplement", "추가 신고"),
    cause_found=Words("cause found", "원인 규명"),
    mended=Words("mended", "재발 방지"),
    lessons=Words("lessons", "교훈 공유"),
    closed=Words("closed", "종결"),
)
"""Steps of a leak."""
CAUSES: Final[Table] = _table(
    outside_access=Words("access from outside", "외부의 불법 접근"),
    insider=Words("insider", "내부자"),
    mistake=Words("mistake", "업무상 실수"),
    loss=Words("loss", "분실·도난"),
    unknown=Words("not known yet", "확인 중"),
)
"""Causes of a leak."""
FINDINGS: Final[Table] = _table(
    purpose_limits=Words("use for the purpose alone", "목적 외 처리 금지"),
    confidentiality=Words("secrecy", "비밀 유지"),
    no_passing_on=Words("no passing on", "제3자 제공 금지"),
    sub_processors=Words("sub-processors", "재위탁 관리"),
    access_rights=Words("access rights", "접근 권한"),
    encryption=Words("encryption", "암호화"),
    access_records=Words("access records", "접속기록 보관"),
    training=Words("training", "교육"),
    destruction=Words("destruction", "파기"),
    no_reason=Words("no reason given", "사유 없음"),
    odd_hours=Words("looks at odd hours", "비정상 시간대 조회"),
    mass_reading=Words("mass looks", "대량 조회"),
    unknown_origin=Words("from an unknown address", "알 수 없는 접속지"),
    other=Words("something else", "기타"),
)
"""What an inspection or a review of access records found."""
TERMS: Final[Table] = _table(
    compliance=Words("keeping the law", "법령 준수"),
    confidentiality=Words("secrecy", "비밀 유지"),
    no_passing_on=Words("no passing on", "제3자 제공 금지"),
    liability=Words("liability", "손해배상 책임"),
    purpose_limits=Words("use for the purpose alone", "목적 외 처리 금지"),
    inspections=Words("inspections", "관리·감독"),
)
"""What a contract with a processor says."""
EVIDENCE_KINDS: Final[Table] = _table(
    system_check=Words("the system's own check", "시스템 자체 점검"),
    acknowledgement=Words("a recipient's answer", "회신"),
    advisory_applied=Words("security advice applied", "보안 공지 조치"),
    antivirus_report=Words("report of the malware scanner", "백신 점검 결과"),
    appointment=Words("letter of appointment", "지정서"),
    audit_report=Words("audit report", "감사 보고서"),
    compliance_review=Words("review of compliance", "이행 점검 결과"),
    entry_log=Words("log of who came in", "출입 기록"),
    hand_over=Words("hand-over record", "인수인계 기록"),
    heartbeat=Words("sign of life of a system", "시스템 가동 확인"),
    leak_plan=Words("plan for a leak", "유출 대응 계획"),
    liability_statement=Words("statement of liability", "책임 확약서"),
    lock_check=Words("check of the locks", "잠금장치 점검"),
    log_review=Words("review of the logs", "접속기록 점검 결과"),
    management_plan=Words("inside management plan", "내부 관리계획"),
    path_review=Words("review of the ways in", "접속 경로 점검"),
    pledge=Words("signed pledge", "서약서"),
    reachability_check=Words("check that it can be reached", "연락 가능 확인"),
    reminder=Words("reminder that was sent", "안내 발송 기록"),
    room_review=Words("review of the room", "보관실 점검"),
    rule_review=Words("review of the rules", "규정 검토"),
    signature_update=Words("scanner brought up to date", "백신 업데이트 기록"),
    training_inside=Words("training inside the house", "사내 교육"),
    training_outside=Words("training outside", "외부 교육"),
    training_record=Words("list of who was trained", "교육 이수 기록"),
    zone_record=Words("record of the zone", "통제구역 기록"),
    zone_scan=Words("scan of the zone", "통제구역 점검"),
)
"""What shows a safeguard kept."""
CHECKS: Final[Table] = _table(
    kept=Words("kept", "지켜짐"),
    broken=Words("not kept", "지켜지지 않음"),
)
"""What a check of the system's own found."""
REVIEWS: Final[Table] = _table(
    kept=Words("it goes on", "계속됨"),
    closed=Words("it is over", "끝남"),
    destroyed=Words("it is over; destroy what nothing else keeps", "끝남, 남은 것 파기"),
    ended=Words("it had ended by itself", "스스로 종료됨"),
)
"""How a review ended."""
WENT_ON: Final[Table] = _table(
    still_runs=Words("the contract or service runs", "계약·이용이 계속됨"),
    still_owed=Words("something is still owed", "정산이 남음"),
    dispute_goes_on=Words("the dispute goes on", "분쟁이 계속됨"),
    told_of_age=Words("the person came of age and was told", "성년이 된 사실을 안내함"),
)
"""Why something goes on after a review."""
TOLD_FOR: Final[Table] = _table(
    return_or_destroy=Words("return or destroy", "반환 또는 파기"),
    corrected=Words("correct", "정정"),
    withdrawn=Words("consent taken back", "동의 철회"),
)
"""Why a recipient was told."""
LOOKS: Final[Table] = _table(
    request_of_person=Words("the person asked something", "정보주체의 요구"),
    inquiry=Words("inquiry", "문의"),
    complaint=Words("complaint", "민원"),
    correction=Words("correction", "정정"),
    dispute=Words("dispute", "분쟁"),
    duty_of_law=Words("duty of law", "법령상 의무"),
    sign_in=Words("sign-in of the person", "정보주체 로그인"),
)
"""Why somebody was looked up."""
GRANTS: Final[Table] = _table(
    new_task=Words("a new task", "업무 추가"),
    replacement=Words("takes over from somebody", "업무 인수"),
    new_hire=Words("new here", "신규 입사"),
    audit_planned=Words("an audit is planned", "감사 예정"),
)
"""Why an access right was granted."""
METHODS: Final[Table] = _table(
    erase=Words("erased", "삭제"),
    destroy_key=Words("key destroyed", "암호키 폐기"),
    shred=Words("shredded", "파쇄"),
    incinerate=Words("incinerated", "소각"),
)
"""How something is destroyed."""
TIERS: Final[Table] = _table(
    active=Words("electronic, key destroyed", "전자적 파기(암호키 폐기)"),
    separated=Words("electronic, kept apart", "전자적 파기(분리 보관분)"),
)
"""From which store something is destroyed."""
STORES: Final[Table] = _table(
    active=Words("store in use", "이용 중 저장소"),
    separated=Words("separated store", "분리 보관 저장소"),
    paper=Words("store of documents", "문서 저장소"),
    signing=Words("signing key", "서명키"),
)
CERTIFICATES: Final[Table] = _table(
    complete=Words("complete", "모든 장소에서 파기 완료"),
    partly=Words("some places still lack evidence", "일부 장소의 증빙 대기"),
)
"""How a certificate of destruction stands."""
BASES: Final[Table] = _table(
    consent=Words("consent", "동의"),
    law=Words("law or treaty", "법률·조약"),
    contract=Words("contract with the person", "정보주체와의 계약"),
    certification=Words("certification", "개인정보 보호 인증"),
    recognised_country=Words("recognised country", "보호 수준이 인정된 국가"),
)
"""On what a transfer abroad rests."""
DUTY_NAMES: Final[Table] = MappingProxyType(
    {
        **_table(
            requests=Words("requests of persons", "권리 행사 처리"),
            separated=Words("separated data", "분리 보관 정보"),
            destruction=Words("destruction", "파기"),
            audit=Words("audit", "감사"),
        ),
        **{code: duty.title for code, duty in DUTIES.items()},
    }
)
"""Duties that somebody holds, and those that fall due without being asked."""
ANNOUNCED_BY: Final[Table] = _table(
    promise=Words("the version before", "이전 처리방침"),
    law=Words("the law", "법령"),
)
"""What set how long ahead a version had to be announced."""
HOLDS: Final[Table] = _table(
    frozen=Words("frozen while a request is open", "요구 처리 중 이용 중지"),
    suspended=Words("suspended at the person's wish", "정보주체 요구에 따른 처리정지"),
)
GATES: Final[Table] = MappingProxyType(
    {
        "passed": Words("passed every test", "모든 점검 통과"),
        "over-gaps": Words("published over gaps", "미비 사항을 두고 공개"),
        "as-of": Words("put on file as of the past", "과거 공개분 등재"),
        "trial": Words("trial", "시험"),
    }
)
"""How a publication came through the gate."""
OBSTACLES: Final[Table] = _table(
    role_unfilled=Words("a role that nobody has", "담당자가 없는 역할"),
    evidence_missing=Words("evidence is missing", "증빙 없음"),
    contract_missing=Words("no contract with a processor", "위탁 계약 없음"),
    contract_terms_missing=Words("terms missing in a contract", "위탁 계약 조항 누락"),
    sub_consent_missing=Words("sub-entrusting that nobody agreed to", "재위탁 동의 없음"),
    duty_nobodys=Words("a duty that no role has", "담당 역할이 없는 업무"),
    owner_missing=Words("a safeguard that nobody answers for", "책임 부서가 없는 보호조치"),
    owner_unreachable=Words("an office that cannot be reached", "연락할 수 없는 책임 부서"),
    rehearsal_failed=Words("a rule failed when tried out", "모의 실행 실패"),
    effective_in_the_past=Words("in force in the past", "과거의 시행일"),
    announced_too_late=Words("announced too late", "공고 기간 부족"),
    finding_unaccepted=Words("a doubt about the text that nobody settled", "검토하지 않은 문서 점검 결과"),
    law_finding_unaccepted=Words("behind the law, and nobody settled it", "검토하지 않은 법령 점검 결과"),
)
"""Why a version was not published, or with which flaw it was put on file."""
MERGERS: Final[Table] = _table(
    merger=Words("merger", "합병"),
    whole_business=Words("transfer of the whole business", "영업 전부 양도"),
    part_of_business=Words("transfer of part of the business", "영업 일부 양도"),
    withdrawn=Words("consent taken back", "동의 철회"),
    ended=Words("ended", "이용 관계 종료"),
)
"""Facts that no document has to name."""
REFUSED: Final[Table] = _table(
    stays=Words("the person stays with us", "계속 보유"),
    ends=Words("what they have with us ends", "이용 관계 종료"),
)
"""What refusing a merger brings about."""
SIZES: Final[Table] = _table(
    subjects=Words("persons, on average of a day", "하루 평균 정보주체 수"),
    delicate_subjects=Words("of them with sensitive or unique data", "민감정보·고유식별정보 정보주체 수"),
)
"""Figures of the house."""
AREAS: Final[Table] = _table(
    console=Words("console", "관리 화면"),
    portal=Words("portal", "정보주체 화면"),
)
ENTERED: Final[Table] = _table(entered=Words("entered", "로그인함"))
FAILED_AT: Final[Table] = _table(
    password=Words("name and password", "아이디·비밀번호"),
    second=Words("second step", "2단계 확인"),
    provider=Words("sign-in of the house", "통합 로그인"),
    code=Words("code of a person", "정보주체 인증번호"),
    address=Words("asking for a code", "인증번호 요청"),
)
FAILED_FOR: Final[Table] = _table(
    wrong=Words("wrong", "불일치"),
    too_many=Words("too many tries", "시도 횟수 초과"),
    not_bound=Words("bound to no account", "연결된 계정 없음"),
    not_known=Words("nobody's or several persons'", "등록된 정보와 불일치"),
    refused_there=Words("refused by the provider", "제공자가 거부"),
    provider=Words("the provider did not answer as it should", "제공자 응답 오류"),
    answer=Words("an answer that does not belong here", "유효하지 않은 로그인 응답"),
)
COUNTED: Final[Table] = _table(
    separated=Words("kept apart", "분리 보관"),
    destroyed=Words("destroyed", "파기"),
    forgotten=Words("persons forgotten", "전부 파기된 정보주체"),
    recalled=Words("recipients told", "제공받은 자에게 통보"),
    papers=Words("documents", "문서"),
    looked_at=Words("looked at", "확인"),
    separate=Words("to be kept apart", "분리 보관 예정"),
    destroy=Words("to be destroyed", "파기 예정"),
    lost=Words("lost", "멸실"),
    certificates=Words("certificates", "증명서"),
    persons=Words("persons", "정보주체"),
    refused=Words("refused", "거절"),
    handed_over=Words("handed over", "이전 완료"),
    rules=Words("rules", "규칙"),
    collected=Words("collected", "수집"),
    searched=Words("looked through", "확인한 값"),
    empty=Words("nothing found", "남은 것 없음"),
    values=Words("values", "값"),
    records=Words("records", "기록"),
    aliases=Words("pseudonyms", "가명"),
    aliases_destroyed=Words("pseudonyms destroyed", "파기한 가명"),
    batches_cut_off=Words("batches cut off", "잘린 묶음"),
    certificates_missing=Words("certificates missing", "없는 증명서"),
    copies_removed=Words("copies removed", "삭제한 사본"),
    keys_destroyed=Words("keys destroyed", "폐기한 암호키"),
    messages_uncertain=Words("messages uncertain", "도달 불명 통지"),
    papers_lost=Words("documents lost", "멸실된 문서"),
    tokens=Words("search tokens", "검색용 식별값"),
)
"""Figures that entries carry."""

WORDS: Final[Mapping[str, tuple[Table, ...]]] = MappingProxyType(
    {
        "act": (ACTS,),
        "about_kind": (ABOUT,),
        "area": (AREAS,),
        "basis": (BASES,),
        "by": (SPEAKERS, ROLES),
        "cause": (CAUSES,),
        "counts": (COUNTED, MESSAGES, OUTCOMES),
        "decided_by": (ANNOUNCED_BY,),
        "duties": (DUTY_NAMES,),
        "duty": (DUTY_NAMES,),
        "evidence": (EVIDENCE_KINDS,),
        "fact": (MERGERS,),
        "figure": (SIZES,),
        "findings": (FINDINGS,),
        "first_night": (COUNTED,),
        "finding": (OBSTACLES,),
        "gate": (GATES,),
        "hold": (HOLDS,),
        "medium": (MEDIA,),
        "method": (METHODS,),
        "notice": (NOTICES,),
        "outcome": (OUTCOMES, REVIEWS, CHECKS, ENTERED),
        "reader": (READERS,),
        "reason": (ANSWERS, REASONS, UNTOLD, TOLD_FOR, WENT_ON, LOOKS, GRANTS),
        "reasons": (REASONS,),
        "refused_means": (REFUSED,),
        "right": (RIGHTS,),
        "rights": (RIGHTS,),
        "speaker": (SPEAKERS,),
        "state": (MESSAGES,),
        "step": (STEPS, FAILED_AT),
        "store": (STORES,),
        "terms": (TERMS,),
        "tier": (TIERS,),
        "to": (SPEAKERS,),
        "why": (FAILED_FOR,),
        "witness": (ROLES,),
        # one field of one kind that means something else there
        "acting.granted kind": (SPEAKERS,),
        "acting.ended kind": (SPEAKERS,),
        "certificate.issued state": (CERTIFICATES,),
        "control.evidenced outcome": (CHECKS,),
        "notice.moved reason": (UNTOLD,),
        "notice.posted reason": (UNTOLD,),
        "notice.queued reason": (UNTOLD,),
        "publication.refused reasons": (OBSTACLES,),
        "recipient.told reason": (TOLD_FOR,),
        "review.done outcome": (REVIEWS,),
    }
)
"""Field, or kind and field → the lists that its codes come from, the first that has it."""


def word(kind: str, field: str, code: str) -> Words | None:
    """A code of a closed list in words; None where the field has none, or the code belongs to no list of it."""
    tables = WORDS.get(f"{kind} {field}") or WORDS.get(field, ())
    return next((table[code] for table in tables if code in table), None)


def field_word(name: str) -> Words | None:
    """A field of an entry in words."""
    return FIELDS.get(name.replace("_", "-"))


_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "items": ("items",),
        "item": ("items",),
        "recipient": ("parties",),
        "party": ("parties",),
        "processor": ("parties",),
        "transferee": ("parties",),
        "about": ("parties", "provisions", "entrustments", "transfers", "advertising"),
        "medium": ("advertising",),
        "channel": ("channels",),
        "right": ("rights",),
        "rights": ("rights",),
        "duty": ("handlers",),
        "control": ("safeguards",),
        "place": ("places",),
        "exception": ("provision-exceptions", "collection-exceptions"),
        "fact": ("facts",),
        "kind": ("subjects", "engagements", "upkeep"),
        "kinds": ("subjects",),
        "proof": ("proofs",),
        "proofs": ("proofs",),
        "missing": ("proofs",),
    }
)
"""Field of an entry → sections of the document in which its code may have a name."""


_PURPOSES: Final = frozenset({"purpose", "purposes", "about"})
"""Fields that name a purpose without its path."""


def title(document: Document, path: str, locale: str) -> str:
    """The public name of an element, also of a fixed row that the document leaves out; its path where it has none."""
    return document.title(path, locale) if path in document.rows else fixed_row(path, locale) or path


def said(document: Document, locale: str, kind: str, field: str, code: str) -> str:
    """A code of an entry in words: by the document's own name for it, else from a closed list; else as it stands."""
    for section in _SECTIONS.get(field, ()):
        if f"{section}.{code}" in document.rows:
            return document.title(f"{section}.{code}", locale)
    if field in _PURPOSES and code in document.policy.purposes:
        return document.title(document.policy.purposes[code].path, locale)
    words = word(kind, field, code)
    return words.say(locale) if words else title(document, code, locale)
